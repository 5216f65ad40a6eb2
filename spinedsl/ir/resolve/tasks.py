"""Resolve the tasks of a network: the kind found, its clauses sorted, each head that they name found among the rows.

A task may stand above the heads that it names: it is fed by nothing, it only says what they mean.
"""

from __future__ import annotations

from collections.abc import Sequence

from spinedsl import checks as say
from spinedsl.diagnostics import Edit, Fix, Label, one_of
from spinedsl.diagnostics.plain import counted
from spinedsl.ir.networks import TaskDecl
from spinedsl.ir.resolve.names import Names
from spinedsl.ops.tasks import TASKS, TaskKind
from spinedsl.record import Record
from spinedsl.syntax import tree


class TaskResolver(Record, frozen=False):
    """Tasks of one network, whose rows have their names."""

    names: Names

    def __post_init__(self) -> None:
        self.heads = [row.name.text for row in self.names.rows if row.kind == "head"]

    def task(self, task: tree.Task) -> TaskDecl:
        """One task; what is wrong with it is reported, and left out."""
        before = len(self.names.diagnostics)
        self.names.take(task.name, "a task")
        kind = TASKS.get(task.use.name.text)
        if kind is None:
            self.unknown_kind(task)
            return TaskDecl(task, None, {}, sound=False)
        self.arguments(task.use, kind)
        clauses = self.clauses(task, kind)
        heads: dict[str, tree.Name] = {}
        parts: dict[str, tree.Name] = {}
        for word in (word for word in kind.words if word in clauses):
            name, part = self.only_head(task, clauses[word])
            if name is not None and self.is_head(task, name):
                heads[word] = name
                parts |= {word: part} if part is not None else {}
        sound = set(kind.clauses) <= set(heads) and len(self.names.diagnostics) == before
        return TaskDecl(task, kind, heads, sound, parts)

    # ---- the kind and its arguments ----

    def unknown_kind(self, task: tree.Task) -> None:
        """Nothing of that name is a kind of task."""
        name = task.use.name
        found = say.UNKNOWN_NAME.at(name.span, kind="kind of task", name=name.text, where="in the language")
        near = self.names.unit.nearest(name.text, TASKS)
        choose = f"choose {one_of(TASKS)}"
        if near is None:
            found = found.with_fix(choose)
        else:
            found = found.with_fix(f"did you mean `{near}`?", Edit(name.span, near), instead=Fix(choose))
        self.names.diagnostics.append(found)
        for argument in task.use.arguments:
            self.names.check(argument.value)

    def arguments(self, use: tree.Use, kind: TaskKind) -> None:
        """The arguments of a kind, given by name."""
        names = self.names
        if names.at(use.span).compared(use.name, use.arguments, names.scope):
            return
        for argument in use.arguments:
            names.argument(argument, kind)
        known = [attribute.name for attribute in kind.attributes]
        required = [attribute.name for attribute in kind.attributes if attribute.required]
        positional = [argument for argument in use.arguments if argument.name is None]
        if not positional or not known:
            names.at(use.span).arguments(use.name, use.arguments, use.span, known, required, None)
            return
        found = say.GIVEN_BY_NAME.at(positional[0].span, callee=use.name.text, what="a task gives")
        text = f"{known[0]} = {positional[0].span.text}"
        names.diagnostics.append(found.with_fix(f"name it, as in `{text}`", Edit(positional[0].span, text)))

    # ---- clauses ----

    def clauses(self, task: tree.Task, kind: TaskKind) -> dict[str, tree.Clause]:
        """The clauses by their word; those that the kind has not, second ones and missing ones are reported."""
        found: dict[str, tree.Clause] = {}
        say_ = self.names.diagnostics.append
        unknown = False
        for clause in task.clauses:
            word = clause.keyword
            if word.text not in kind.words:
                unknown = True
                what = f"a task of kind `{kind.name}`"
                wrong = say.UNKNOWN_CLAUSE.at(word.span, row=what, name=word.text, known=one_of(kind.words))
                left = [known for known in kind.words if all(c.keyword.text != known for c in task.clauses)]
                near = left[0] if len(left) == 1 else self.names.unit.nearest(word.text, left)
                away = wrong.with_fix("take it away", Edit(clause.span, ""))
                say_(away if near is None else wrong.with_rename(word.span, near))
            elif word.text in found:
                twice = say.CLAUSE_TWICE.at(clause.span, name=word.text)
                twice = twice.with_others(Label(found[word.text].span, "first given here"))
                say_(twice.with_fix("take one of them away", Edit(clause.span, "")))
            else:
                found[word.text] = clause
        missing = [word for word in kind.clauses if word not in found]
        if missing and not unknown:
            self.missing(task, missing)
        return found

    def missing(self, task: tree.Task, missing: Sequence[str]) -> None:
        """Clauses of the kind that the task lacks."""
        words = one_of((f"{word} HEAD" for word in missing), conjunction="and")
        found = say.MISSING_CLAUSE.at(
            task.name.span, row="task", name=task.name.text, what="which head it is about", expected=words
        )
        if self.heads:
            found = found.with_fix(f"say it, as in `{missing[0]} {self.heads[-1]}`")
        else:
            found = found.with_fix("add a head, and say it: only heads have tasks")
        self.names.diagnostics.append(found)

    # ---- the heads ----

    def only_head(self, task: tree.Task, clause: tree.Clause) -> tuple[tree.Name | None, tree.Name | None]:
        """The one head of a clause, and the name of what it yields, if the clause says one."""
        value = clause.value
        if isinstance(value, tree.Ident):
            return tree.Name(value.name, value.span), None
        if isinstance(value, tree.Property) and isinstance(value.base, tree.Ident):
            return tree.Name(value.base.name, value.base.span), value.name
        if isinstance(value, tuple) and len(value) == 1:
            return value[0], None
        got = counted(len(value), "head") if isinstance(value, tuple) else f"`{value.span.text}`"
        found = say.TASK_HEADS.at(clause.span, name=task.name.text, got=got, clause=clause.keyword.text)
        fix = "keep one of them: a task of its own says what another head means"
        self.names.diagnostics.append(found.with_fix(fix if isinstance(value, tuple) else "name a head"))
        return None, None

    def is_head(self, task: tree.Task, name: tree.Name) -> bool:
        """A head has the name; otherwise what is wrong was reported."""
        names = self.names
        at = names.order.get(name.text)
        if at is not None and names.rows[at].kind == "head":
            return True
        if name.text in names.mentioned or name.text in names.unit.home(name.span).mentioned:
            return False
        if at is None and (dropped := names.dropped(name.text)) is not None:
            found = say.READS_DROPPED.at(name.span, name=name.text, user=task.name.text)
            fix = f"drop `{task.name.text}` too, or say another head: `task {task.name.text}: {task.use.name.text} …`"
            names.diagnostics.append(found.with_others(Label(dropped, "dropped here")).with_fix(fix))
        elif name.text in names.places:
            self.no_head(name)
        else:
            self.unknown_head(name)
        return False

    def no_head(self, name: tree.Name) -> None:
        """Something else has the name: a row of another kind, a parameter, another task."""
        what, place = self.names.places[name.text]
        found = say.WRONG_KIND.at(name.span, name=name.text, got=what, expected="a head")
        found = found.with_others(Label(place, f"{what} has this name"))
        if self.heads:
            found = found.with_fix(f"name a head: {one_of(self.heads)}")
        else:
            found = found.with_fix(f"give `{name.text}` a head, and name that: only heads have tasks")
        self.names.diagnostics.append(found)

    def unknown_head(self, name: tree.Name) -> None:
        """Nothing has the name."""
        names = self.names
        where = f"in network `{names.network}`"
        found = say.UNKNOWN_NAME.at(name.span, kind="head", name=name.text, where=where)
        of_value = self.value_of_a_head(name.text)
        near = of_value or names.unit.nearest(name.text, self.heads)
        if near is None and names.may_be_nameless(name.text):
            return
        if near is None and self.heads:
            known = f"head{'s are' if len(self.heads) > 1 else ' is'} {one_of(self.heads, conjunction='and')}"
            found = found.with_notes(f"its {known}").with_fix("name a head")
        elif near is None:
            found = found.with_notes("it has no head").with_fix("add a head of that name: only heads have tasks")
        if near is not None:
            again = Fix(f"name the head that gives it: `{of_value.partition('.')[0]}`") if of_value else None
            found = found.with_fix(f"did you mean `{near}`?", Edit(name.span, near), instead=again)
        names.diagnostics.append(found)

    def value_of_a_head(self, name: str) -> str | None:
        """`f.scores` for `f_scores`, as outputs are called; the head alone where it yields nothing of that name."""
        head = next((head for head in self.heads if name.startswith(f"{head}_")), None)
        if head is None:
            return None
        use = self.names.rows[self.names.order[head]].use
        defined = self.names.unit.home(use.span).definitions.get(use.name.text)
        body = defined.definition.body if defined is not None else ()
        values = [node.value for node in tree.walk(*body) if isinstance(node, tree.Yield)]
        known = dict.fromkeys(value.name if isinstance(value, tree.Ident) else "" for value in values)
        rest = name.removeprefix(f"{head}_")
        value = next((one for one in known if one and f"{rest}_".startswith(f"{one}_")), None)
        return f"{head}.{value}" if value is not None and len(known) > 1 else head

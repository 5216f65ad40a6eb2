"""Run a `fn`: statements over numbers, flags, symbols and lists of numbers, from its arguments to what it returns.

Nothing of it is kept: what it gives is a value like one that is written down. Every statement takes a step, and its
numbers are exact and bounded as everywhere.
"""

from __future__ import annotations

from spinedsl.ir.expand.context import Context
from spinedsl.ir.expand.expressions import Evaluator
from spinedsl.ir.expand.given import enter, held_in, leave, unfit
from spinedsl.ir.expand.values import Environment, Held, Result, is_scalar
from spinedsl.ir.library import Defined
from spinedsl.ir.scalars import POISON, Poison
from spinedsl.syntax import tree

TAKES = "a number, a flag or a list of numbers"


class Functions(Evaluator):
    """An evaluator that runs the functions of a file and of those that it imports."""

    def function(self, expr: tree.Call, defined: Defined) -> Result:
        """What a `fn` gives for the arguments of a call; POISON after a mistake."""
        if not defined.sound:
            return POISON
        given: Environment = {}
        parameters = iter(defined.parameters)
        for argument in expr.arguments:
            name = argument.name.text if argument.name is not None else next(parameters)
            value = self.held(argument.value)
            if isinstance(value, Poison):
                return POISON
            if not is_scalar(value) and not isinstance(value, Held):
                return self.wrong(f"`{name}` of `{defined.name}`", TAKES, argument.value, value)
            given[name] = value
        context = self.context
        if not context.has_room(defined):
            return POISON
        context.uses.append((expr.span, defined.name, None))
        result: Result = POISON
        if enter(context, defined, held_in(given)):
            context.stack += defined.frames
            result = Running(context, defined).run(given)
            context.stack -= defined.frames
            leave(context)
        context.uses.pop()
        return result

    def call_given(self, expr: tree.Call, held: Held) -> Result:
        """A call of the function that a name holds. What does not fit is for whoever named it to mend."""
        found = unfit(expr, held, numbers=True)
        if found is not None:
            self.report(found)
        return POISON if found is not None else self.function(expr, held.defined)


class Running(Functions):
    """A function at work."""

    def __init__(self, context: Context, defined: Defined) -> None:
        super().__init__(context, defined)
        self.broken = False

    def run(self, given: Environment) -> Result:
        """What it returns, with the defaults for what is not given; a default may name the parameters before it."""
        for name, parameter in self.defined.parameters.items():
            if name in given:
                self.env[name] = given[name]
            else:
                self.env[name] = self.held(parameter.default) if parameter.default is not None else POISON
        result = self.body(self.defined.definition.body)
        return POISON if result is None or self.broken else result

    def body(self, statements: tree.Body) -> Result | None:
        """Run statements; what they return, None if they fall through."""
        for statement in statements:
            if self.broken or not self.context.spend(statement.span):
                self.broken = True
                return POISON
            if isinstance(statement, tree.Binding):
                self.env[statement.name.text] = self.number(statement.value)
            elif isinstance(statement, tree.Return):
                return self.number(statement.value)
            elif isinstance(statement, tree.If):
                condition = self.condition(statement.condition, "`if`")
                if condition is None:
                    self.broken = True
                    return POISON
                result = self.body(statement.then if condition else statement.other)
                if result is not None:
                    return result
            elif isinstance(statement, tree.Repeat | tree.Each):
                self.loop(statement)
        return None

    def number(self, expr: tree.Expr) -> Result:
        """The value of a statement's expression. What is not known makes the whole unknown."""
        value = self.held(expr)
        self.broken = self.broken or isinstance(value, Poison)
        return value

    def loop(self, statement: tree.Repeat | tree.Each) -> None:
        """Run the body once for each; what it binds ends with its iteration."""
        turns = self.turns(statement)
        if isinstance(statement, tree.Repeat):
            name = statement.index.text if statement.index is not None else ""
        else:
            name = statement.item.text
        for turn in turns:
            before = set(self.env)
            if name:
                self.env[name] = turn
            self.body(statement.body)
            for bound in set(self.env) - before:
                del self.env[bound]
            if self.broken:
                return

    def turns(self, statement: tree.Repeat | tree.Each) -> tuple[Result, ...]:
        """What a loop goes through; nothing after a mistake."""
        if isinstance(statement, tree.Each):
            found = self.items(statement.items, "`each`")
        else:
            found = self.counted(statement.count)
        self.broken = self.broken or found is None
        return found or ()

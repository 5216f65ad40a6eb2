"""The catalogue of every code: the one list of what the compiler can say of a file.

A code keeps its meaning for good; a code that is no longer used is never given to anything else. `message` and `label`
are templates. Why a rule is there stands in `explained/CODE.md`, which `spine explain` shows.
"""

from __future__ import annotations

from spinedsl.diagnostics.model import Code

CATALOGUE: dict[str, Code] = {}
GROUPS = {
    "E01": "the form of the text",
    "E02": "names",
    "E03": "structure",
    "E04": "scale",
    "E05": "shapes and values",
    "E06": "limits",
    "W07": "lints",
    "E08": "files",
    "E09": "weights, and what else a backend is asked for",
    "W09": "weights that mean something else",
}


def _code(name: str, title: str, message: str, label: str) -> Code:
    code = Code(name, title, message, label)
    if name in CATALOGUE:
        raise ValueError(f"code {name} is given twice")
    CATALOGUE[name] = code
    return code


# ---- E01: the form of the text ----

UNEXPECTED = _code("E0101", "unexpected token", "unexpected `{found}`", "expected {expected}")
ENDS_EARLY = _code(
    "E0102", "statement ends too early", "this statement ends too early", "after `{last}`, expected {expected}"
)
NOT_A_STATEMENT = _code(
    "E0103", "not a statement", "`{found}` does not begin a statement {where}", "expected {expected}"
)
UNCLOSED = _code("E0104", "bracket never closed", "`{bracket}` is never closed", "opened here")
UNOPENED = _code("E0105", "bracket never opened", "there is a `{bracket}` too many", "{why}")
MISSING_BRACE = _code("E0106", "missing brace", "the `{{` of this `{what}` is missing", "expected `{{` here")
KEYWORD_AS_NAME = _code(
    "E0107", "keyword used as a name", "`{word}` is a keyword and cannot be a name", "expected a name"
)
BAD_CHARACTER = _code("E0108", "stray character", "{character} has no meaning here", "not part of the language")
LOOKALIKE = _code(
    "E0109", "letter of another script", "{character} looks like `{like}` but is another character",
    "names are ASCII letters, digits and `_`",
)  # fmt: skip
BIDI_CONTROL = _code(
    "E0110", "bidirectional control", "{character} makes the text read other than it runs", "hidden here"
)
CONTROL_CHARACTER = _code("E0111", "hidden character", "{character} is not allowed in a file", "hidden here")
INPUT_FORM = _code(
    "E0112", "form of the input", "an input has three sizes with ` x ` between them, got {got}",
    "expected channels x height x width",
)  # fmt: skip
ELSE_WITHOUT_IF = _code(
    "E0113", "else without if", "this `else` belongs to no `if`", "expected after the `}}` of an `if`"
)
UNKNOWN_VERSION = _code(
    "E0114", "unknown language version", "there is no version {got} of the language", "this compiler knows version 1"
)
VERSION_FIRST = _code(
    "E0115", "version not first", "the version stands first in a file", "move it above everything else"
)
NOT_UTF8 = _code(
    "E0116",
    "not UTF-8",
    "the file is not UTF-8: byte {byte} at offset {offset}",
    "the last that is",
)

# ---- E02: names ----

UNKNOWN_NAME = _code("E0201", "unknown name", "there is no {kind} named `{name}`", "not defined {where}")
DEFINED_TWICE = _code(
    "E0202", "defined twice", "`{name}` is defined twice", "{what} cannot take a name that is in use",
)  # fmt: skip
WRONG_KIND = _code("E0203", "another kind of thing", "`{name}` is {got}, not {expected}", "expected {expected}")
RECURSION = _code(
    "E0204", "recursive definition", "`{name}` calls itself{way}", "this call closes the circle",
)  # fmt: skip
IMPORT_NOT_FOUND = _code("E0205", "import not found", "cannot find `{path}`", "{where}")
IMPORT_CYCLE = _code(
    "E0206", "imports in a circle", "these files import each other: {way}", "this import closes the circle"
)
IMPORT_OUTSIDE = _code(
    "E0207", "import from outside", "`{path}` leads out of the project's folder",
    "expected a path relative to this file, inside {folder}",
)  # fmt: skip
UNKNOWN_ARGUMENT = _code("E0208", "unknown argument", "`{callee}` has no parameter `{name}`", "it takes {known}")
ARGUMENT_TWICE = _code("E0209", "argument given twice", "`{name}` is given twice to `{callee}`", "given again here")
MISSING_ARGUMENT = _code(
    "E0210", "missing argument", "`{callee}` needs `{name}`", "`{name}` has no default and is not given"
)
TOO_MANY_ARGUMENTS = _code(
    "E0211", "too many arguments", "`{callee}` takes {most} in order, got {got}", "one too many from here"
)
UNKNOWN_PROPERTY = _code("E0212", "unknown property", "{what} has no property `{name}`", "expected {known}")
NOT_A_VAR = _code(
    "E0213", "not a var", "`{name}` cannot be assigned: it is {what}", "only a `var` changes its value",
)  # fmt: skip
NO_RETURN = _code("E0214", "missing return", "`{name}` does not return on every path", "expected a `return`{where}")
RETURN_IN_LOOP = _code(
    "E0223", "return in a loop", "a `return` cannot stand in a loop", "every iteration runs to its end"
)
UNREACHABLE = _code(
    "E0215", "unreachable statement", "nothing after a `return` is reached", "take this away, or the `return`"
)
UNKNOWN_CLAUSE = _code("E0216", "unknown clause", "{row} has no clause `{name}`", "expected {known}")
CLAUSE_TWICE = _code("E0217", "clause given twice", "`{name}` is said twice in this row", "said again here")
UNKNOWN_ENTRY = _code("E0218", "unknown entry", "{what} knows no `{name}`", "expected {known}")
NAME_RESERVED = _code("E0219", "reserved name", "`{name}` cannot name {what}", "{why}")
NETWORK_CYCLE = _code(
    "E0220", "networks made of each other", "these networks are made of each other: {way}", "this closes the circle"
)
MISSING_PARAMETER = _code(
    "E0221", "missing parameter", "{kind} needs a parameter for {missing}, which `{name}` lacks",
    "its first parameters are filled in by the rows that use it",
)  # fmt: skip
GIVEN_BY_NAME = _code(
    "E0222", "argument without a name", "{what} arguments of `{callee}` by name", "expected `name = value`"
)
EDIT_OF_DROPPED = _code(
    "E0224", "edit of a dropped row", "`{name}` is dropped, so nothing else can be done with it", "dropped before this"
)
EDITED_TWICE = _code(
    "E0225", "edited twice", "{what} of `{name}` is edited twice", "edited again here",
)  # fmt: skip
NO_SUCH_CLAUSE = _code(
    "E0226", "no clause to take away", "{row} has no `{name}` to take away", "`none` takes a clause away"
)
SHARED_ALONE = _code("E0227", "shared with nothing", "`shared` means nothing here: {why}", "shared with nothing")
YIELD_OUTSIDE = _code(
    "E0228", "yield outside a head", "`{name}` is {kind} and cannot yield", "only a `head_type` yields"
)
YIELD_AND_RETURN = _code(
    "E0229", "yield and return", "head `{name}` yields, and so cannot return", "expected a `yield`, or `return` alone"
)
NO_YIELD = _code(
    "E0230", "head that gives nothing", "head `{name}` neither yields nor returns a value{when}",
    "expected a `yield` for each value, or a `return`",
)  # fmt: skip
YIELD_TWICE = _code(
    "E0231", "two values of one name", "two values that head `{name}` yields would both be named `{value}`",
    "the second of that name",
)  # fmt: skip
AMBIGUOUS_NETWORK = _code(
    "E0232", "name of two networks", "`{name}` names two networks", "which of them cannot be told",
)  # fmt: skip
NOT_READ = _code(
    "E0233", "value that nothing reads", "`{name}` of {where} is never read", "{why}",
)  # fmt: skip

# ---- E03: structure ----

INPUT_COUNT = _code(
    "E0301", "number of inputs", "{row} `{name}` has {got}, expected {expected}", "{got}",
)  # fmt: skip
SAME_PARENTS = _code("E0302", "same input twice", "block `{name}` takes `{parent}` twice", "the second time")
USED_BEFORE = _code(
    "E0303", "input below the block", "`{name}` stands below `{user}`, which uses it", "used here, before it is there",
)  # fmt: skip
CYCLE = _code("E0304", "circle of blocks", "{what}", "this input closes the circle")
UNUSED_BLOCK = _code(
    "E0305", "block that nothing uses", "nothing uses block `{name}`", "its feature map reaches no output",
)  # fmt: skip
NO_OUTPUT = _code("E0306", "no output", "network `{name}` has no output", "expected at least one `output` row")
OUTPUT_LEVEL_TWICE = _code(
    "E0307", "two outputs of one level", "outputs `{first}` and `{second}` are both at level {level}",
    "level {level} again",
)  # fmt: skip
ABSORB_MISMATCH = _code(
    "E0308", "absorbed map does not fit",
    "`{name}` cannot absorb `{absorbed}`: expected {expected}, got {got}",
    "absorbed here, as it is",
)  # fmt: skip
MISSING_CLAUSE = _code("E0309", "missing clause", "{row} `{name}` does not say {what}", "expected {expected}")
MISSING_SETTING = _code("E0310", "missing setting", "network `{name}` has no {what}", "{label}")
SETTING_TWICE = _code("E0311", "setting given twice", "`{what}` is set twice in network `{name}`", "set again here")
FROM_AND_AFTER = _code(
    "E0312", "clauses that exclude each other", "a row has `from` or `after`, not both",
    "`after` connects directly; `from` resamples and joins",
)  # fmt: skip
EMPTY_FILE = _code(
    "E0314", "empty file", "this file has no network and no definition", "expected `network NAME {{ … }}`"
)
ABSORB_NEEDS_JOIN = _code(
    "E0313", "nothing to absorb into", "block `{name}` has no join to absorb into", "`absorb` goes with `from`"
)
NOT_ABOVE_INPUT = _code("E0315", "no stem", "network `{name}` has no stem", "expected a `stem` row above the blocks")

NEEDS_FROM = _code(
    "E0316", "clause without `from`", "block `{name}` has `{clause}`, but nothing to {clause}",
    "`{clause}` goes with `from`",
)  # fmt: skip
CLAUSE_NOT_TAKEN = _code(
    "E0317", "clause that the type does not take", "`{type}` has no parameter `{name}`", "not taken"
)
READS_DROPPED = _code(
    "E0318", "reads a dropped row", "`{user}` reads `{name}`, which an edit drops", "read here",
)  # fmt: skip
HEAD_NAME_TAKEN = _code(
    "E0319", "name of a head's output taken", "head `{head}` gives an output `{name}`, but that name is taken",
    "gives `{name}`",
)  # fmt: skip
OUTPUT_WITHOUT_LEVEL = _code(
    "E0320", "output without a level", "output `{name}` gives {got}, which has no level", "expected a map with a level"
)  # fmt: skip
DEAD_INPUT = _code(
    "E0321", "input that no output depends on", "no output depends on `{source}`, an input of `{row}`",
    "expected {expected} to be read, got none",
)  # fmt: skip

# ---- E04: scale ----

LEVEL_RANGE = _code("E0401", "level out of range", "level {got} is out of range", "expected {expected}")
NOT_DIVISIBLE = _code(
    "E0402", "input size does not divide",
    "{what} does not divide by {divisor}, which level {level} needs", "{got} / {divisor} is not whole",
)  # fmt: skip
NOT_POSITIVE = _code("E0403", "count below one", "{what} must be at least 1, got {got}", "{how}")
NO_WIDTH = _code(
    "E0404", "no channels", "{row} `{name}` has no channels",
    "{label}",
)  # fmt: skip
LEVEL_MISMATCH = _code(
    "E0405", "level not reached", "{what} `{name}` says level {expected}, but comes out at {got}",
    "declared level {expected}",
)  # fmt: skip
NO_STRIDE = _code(
    "E0406", "cannot change level", "`{name}` cannot go from level {source} to level {target}: {why}",
    "level {source} to level {target}",
)  # fmt: skip
SIGNATURE = _code(
    "E0407",
    "signature not kept",
    "`{name}` promises {expected} channels, but returns {got}",
    "returns {got} channels here",
)
RESAMPLE_RESULT = _code(
    "E0408", "resampling does not fit",
    "resampling `{source}` for `{target}` gives {got}, expected {expected}", "resampled by `{type}`",
)  # fmt: skip
WIDTH_TWICE = _code("E0409", "width given twice", "level {level} has two widths", "given again here")
EMPTY_RANGE = _code("E0410", "empty range", "{low}..{high} holds nothing", "expected the smaller number first")

# ---- E05: shapes and values ----

SHAPE = _code("E0501", "shapes do not fit", "`{operation}` cannot take these: {problem}", "{label}")
EXPECTED_VALUE = _code("E0502", "another kind of value", "{what} expects {expected}, got {got}", "expected {expected}")
OUT_OF_RANGE = _code("E0503", "value out of range", "{what} must be {expected}, got {got}", "expected {expected}")
NO_DEFAULT = _code(
    "E0504", "no default", "`{role}` is used, but network `{network}` has no default for it", "used here",
)  # fmt: skip
DIVISION_BY_ZERO = _code("E0505", "division by zero", "division by zero", "this is 0")
SIZE_NOT_KEPT = _code(
    "E0506", "size does not fit the level",
    "`{operation}` turns {before} into {after}, but {level} has {expected}",
    "the map no longer fits its level",
)  # fmt: skip
NOT_KNOWN = _code("E0507", "value not known", "{what} cannot be known here", "{why}")
NOT_A_MAP = _code("E0508", "no feature map returned", "`{name}` returns {got}", "expected a feature map")
SHARED_SHAPES = _code(
    "E0509", "shared weights of two shapes", "`shared {name}` needs weights of {second} here, but of {first} before",
    "shared by every iteration of the loop",
)  # fmt: skip
WRONG_RANK = _code(
    "E0510", "map and vector confused", "`{operation}` takes {expected}, got {got}", "expected {expected}"
)  # fmt: skip
NOT_WHOLE = _code(
    "E0511", "row that gives no whole map", "`{type}` of {row} `{name}` gives {got}", "expected {expected}"
)  # fmt: skip
SHARED_DIFFERS = _code(
    "E0512", "shared operation that differs", "`shared {name}` has {second} here, but {first} before",
    "shared by every iteration of the loop",
)  # fmt: skip

# ---- E06: limits ----

FILE_TOO_LARGE = _code("E0601", "file too large", "a file has at most {limit} characters", "in this file")
TOO_DEEP = _code("E0602", "nested too deep", "{what} is nested too deep", "{limit}")
NUMBER_TOO_LONG = _code(
    "E0603", "number too long", "a number has at most {digits} digits and an exponent of at most {exponent}", "too long"
)
TOO_MANY = _code("E0604", "too many", "too many {what}: at most {limit}, got {got}", "at most {limit}")

# ---- W07: lints ----

SKIPPED_LEVEL = _code(
    "W0701", "output level skipped", "the outputs leave out level {levels}", "between `{below}` and `{above}`",
)  # fmt: skip
LONG_RESAMPLE = _code(
    "W0702", "resampling over many levels",
    "`{target}` resamples `{source}` over {distance} levels", "{distance} levels apart",
)  # fmt: skip
EDIT_WITHOUT_EFFECT = _code(
    "W0703", "edit that changes nothing", "{what}", "{label}",
)  # fmt: skip
UNREAD_VALUE = _code(
    "W0704", "value that is not read", "`{name}` of `{definition}` is computed, {how}",
    "no gradient reaches what it is made of",
)  # fmt: skip

# ---- E08: files ----

CANNOT_READ = _code("E0801", "cannot read", "cannot read `{path}`: {reason}", "")
CANNOT_WRITE = _code("E0802", "cannot write", "cannot write `{path}`: {reason}", "")

# ---- E09: weights, and what else a backend is asked for ----

BAD_WEIGHTS = _code("E0901", "weights do not fit", "the weights in `{path}` do not fit network `{network}`", "")
UNKNOWN_WEIGHTS = _code("E0902", "unknown kind of weights", "`{path}` is no weights file: it is {what}", "")
BROKEN_WEIGHTS = _code("E0903", "broken weights file", "cannot make sense of `{path}`: {reason}", "")
NOT_A_STATE_DICT = _code(
    "E0904", "not a state dict", "`{path}` is not a plain state dict: {reason}", "",
)  # fmt: skip
NEEDS_PYTORCH = _code("E0905", "PyTorch needed", "reading `{path}` needs PyTorch, which is not installed", "")
FIXED_AXIS = _code(
    "E0906", "axis that cannot vary", "the {axis} of network `{network}` cannot vary",
    "a definition reads the {axis} here",
)  # fmt: skip
MODEL_TOO_LARGE = _code(
    "E0907", "model too large", "the tensors of network `{network}` take {size} GiB: {reason}",
    "larger than one file can be",
)  # fmt: skip
DAMAGED_WEIGHTS = _code("E0908", "damaged weights file", "`{path}` is damaged: {reason}", "")
FOREIGN_WEIGHTS = _code(
    "E0909", "weights that cannot be told apart",
    "cannot tell which tensor of `{path}` is which in network `{network}`: {reason}", "",
)  # fmt: skip
NO_BACKBONE = _code(
    "E0910", "not a backbone for this host", "network `{network}` cannot be a backbone of {host}: {reason}", "{label}"
)

BEYOND_HALF = _code(
    "E0911", "number beyond float16", "{what} is beyond float16, whose largest number is 65,504",
    "it would become infinite",
)  # fmt: skip

SEVERAL_SETS = _code("E0912", "several sets of weights", "`{path}` holds {count} sets of tensors", "")
NO_SUCH_SET = _code("E0913", "no such set of weights", "`{path}` has no set of tensors `{key}`: it has {known}", "")
SEVERAL_PREFIXES = _code(
    "E0914", "several prefixes fit", "the names in `{path}` fit network `{network}` in {count} ways", ""
)
BAD_NUMBERS = _code(
    "E0915", "weights that cannot be used", "`{path}` holds numbers that network `{network}` cannot use", ""
)

# ---- W09: weights that mean something else ----

CHANGED_WEIGHTS = _code(
    "W0902", "changed since it was written", "`{path}` has changed since it was written: {what}", ""
)
OTHER_FUNCTION = _code(
    "W0901", "weights of another function",
    "`{path}` has weights of {code}, which computes something else than network `{network}`", "",
)  # fmt: skip

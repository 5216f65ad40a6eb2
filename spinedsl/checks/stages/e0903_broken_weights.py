"""E0903: broken weights file."""

from spinedsl.diagnostics import Default, Rule

RULE = Rule(
    "E0903",
    title="broken weights file",
    message="`{path}` is not a valid weights file: {reason}",
    label="",
    default=Default.ERROR,
    explanation="""\
The file has the ending of a weights file, but its content is damaged or something else: a download
that broke off, a Git LFS pointer in place of the data, an error page of a server, or numbers of a
type that no network here has.

The size tells most: SpineNet-49 has about 87 MB of float32 weights. Fetch or save the file again.
""",
)

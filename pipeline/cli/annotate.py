"""`stance annotate`: the group of commands that hand statements to coders and take labels back."""

from __future__ import annotations

import typer

from pipeline.cli.annotate_exchange import export, import_
from pipeline.cli.annotate_label import label
from pipeline.cli.annotate_sample import sample
from pipeline.cli.annotate_settle import adjudicate, agreement, log, suspects

annotate = typer.Typer(
    name="annotate",
    no_args_is_help=True,
    rich_markup_mode=None,
    help="Label statements: hand them out, take labels back, measure agreement, settle what counts.\n\n"
    "The round trip: `sample` draws what to label; `label` (on this terminal), or `export`, label elsewhere, "
    "`import`; then `agreement`, then `adjudicate`. Settled labels are what `stance retrain` learns from and "
    "`stance trends` corrects by.",
)
annotate.command("sample")(sample)
annotate.command("export")(export)
annotate.command("import")(import_)
annotate.command("label")(label)
annotate.command("agreement")(agreement)
annotate.command("adjudicate")(adjudicate)
annotate.command("suspects")(suspects)
annotate.command("log")(log)

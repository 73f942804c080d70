"""What README promises, tried: its code runs, its two commands are one line each, its files exist."""

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text("utf-8")


def test_the_tour_runs():
    blocks = re.findall(r"```python\n(.*?)```", README, re.S)
    assert blocks
    namespace = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), namespace)


def test_the_two_commands_stand_at_the_top():
    commands = re.findall(r"^    (python3 -m venv .*)$", README, re.M)
    assert len(commands) == 2
    assert commands[0].endswith("rlexact verify")
    assert commands[1].endswith("-m pytest")


def test_every_file_that_it_names_exists():
    for path in re.findall(r"\]\(([^)#:]+)\)", README):
        assert (ROOT / path).exists(), path


def test_the_tour_says_what_it_prints(capsys):
    """Each `print(...)  # shown` of the tour shows just that."""
    code = "\n".join(re.findall(r"```python\n(.*?)```", README, re.S))
    promised = [shown for shown in re.findall(r"^print\(.*\)  # (.*)$", code, re.M) if shown.startswith("[")]
    exec(compile(code, "README.md", "exec"), {})
    printed = capsys.readouterr().out.splitlines()
    assert promised
    assert set(promised) <= set(printed)

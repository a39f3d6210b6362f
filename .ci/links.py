"""Says which relative links of the Markdown files lead nowhere, and which files they name that are not there; ends with 1
when there is one. A file may be named by the end of its path, as `log/feed.rs`."""

import re
import subprocess
import sys
from pathlib import Path

tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
broken = []
for name in (name for name in tracked if name.endswith(".md")):
    page = Path(name)
    text = page.read_text(encoding="utf-8")
    for target in re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", text):
        path = (target[0] or target[1]).split("#")[0]
        if path and ":" not in path and not (page.parent / path).exists():
            broken.append(f"{name}: {path}")
    for path in re.findall(r"`([\w./-]+\.(?:rs|py|mjs|ftl|zdict))`", text):
        if not any(file == path or file.endswith("/" + path) for file in tracked):
            broken.append(f"{name}: {path}")
print("\n".join(broken) or "all links lead somewhere")
sys.exit(1 if broken else 0)

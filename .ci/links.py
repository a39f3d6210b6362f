"""Says which relative links of the Markdown files lead nowhere; ends with 1 when one does."""

import re
import subprocess
import sys
from pathlib import Path

broken = []
for name in subprocess.run(["git", "ls-files", "*.md"], capture_output=True, text=True, check=True).stdout.split():
    page = Path(name)
    for target in re.findall(r"\]\(([^)\s]+)\)|<img src=\"([^\"]+)\"", page.read_text(encoding="utf-8")):
        path = (target[0] or target[1]).split("#")[0]
        if path and ":" not in path and not (page.parent / path).exists():
            broken.append(f"{name}: {path}")
print("\n".join(broken) or "all links lead somewhere")
sys.exit(1 if broken else 0)

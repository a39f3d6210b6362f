"""Says which tests and files docs/THREATS.md names as the proof of a line that are not there; ends with 1 when there is one."""

import re
import subprocess
import sys
from pathlib import Path

tracked = subprocess.run(["git", "ls-files"], capture_output=True, text=True, check=True).stdout.split()
sources = [Path(name) for name in tracked if name.endswith((".rs", ".py", ".mjs")) and Path(name).exists()]
text = "\n".join(path.read_text(encoding="utf-8") for path in sources)
functions = set(re.findall(r"\b(?:fn|def) (\w+)", text))
manifests = "\n".join(Path(name).read_text(encoding="utf-8") for name in tracked if name.endswith("Cargo.toml"))
programs = set(re.findall(r'^name = "([\w-]+)"', manifests, re.M))
missing = []
for number, line in enumerate(Path("docs/THREATS.md").read_text(encoding="utf-8").splitlines(), 1):
    cells = [cell.strip() for cell in line.strip().strip("|").split(" | ")]
    if not line.startswith("| ") or len(cells) != 4 or cells[0] in ("who", "---"):
        continue
    proof = cells[3]
    names = re.findall(r"`([^`]+)`", re.sub(r"simulation \([^)]*\)", "simulation", proof))
    if not names and proof != "—" and "simulation" not in proof:
        missing.append(f"line {number}: nothing shows it")
    for name in names:
        first = name.split()[0]
        is_file = any(file == first or file.endswith("/" + first) for file in tracked)
        if not is_file and first not in functions and first not in programs:
            missing.append(f"line {number}: {name}")
    for event in re.findall(r"simulation \(([^)]*)\)", proof):
        for name in re.findall(r"`(\w+)`", event):
            if not re.search(rf"\b{name}\b", text):
                missing.append(f"line {number}: {name} of the simulation")
print("\n".join(missing) or "every line of THREATS.md names a test that is there")
sys.exit(1 if missing else 0)

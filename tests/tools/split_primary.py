"""Write each <package> element of REPO/repodata/*-primary.xml.* beside its rpm in FOLDER, as FILE.xml."""

import gzip
import re
import subprocess
import sys
from pathlib import Path

repo, folder = Path(sys.argv[1]), Path(sys.argv[2])
[primary] = (repo / "repodata").glob("*-primary.xml.*")
data = primary.read_bytes()
text = (
    gzip.decompress(data)
    if primary.suffix == ".gz"
    else subprocess.run(["zstd", "-dc"], input=data, capture_output=True, check=True).stdout
).decode()
for element in re.findall(r"<package type=\"rpm\">.*?</package>\n", text, re.DOTALL):
    [href] = re.findall(r'<location href="([^"]+)"', element)
    (folder / f"{Path(href).name}.xml").write_text(element)

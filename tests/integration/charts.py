"""The example chart, packed."""
import gzip
import io
import os
import tarfile

CHART_FOLDER = "examples/chart"


def chart_files(folder=CHART_FOLDER):
    files = {}
    for parent, _, names in os.walk(folder):
        for name in names:
            path = os.path.join(parent, name)
            with open(path, "rb") as file:
                files[os.path.relpath(path, folder)] = file.read()
    return files


def packed_chart(changes=None, name="quay"):
    """The .tgz of the example with some files replaced or added."""
    files = chart_files()
    files.update({path: text.encode() for path, text in (changes or {}).items()})
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as archive:
        for path, data in sorted(files.items()):
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return gzip.compress(buffer.getvalue(), mtime=0)  # the same chart is the same bytes, whenever it is packed

"""What pyproject.toml cannot say; all else stands there.

- A wheel carries the chapters inside the package, as ddpm_lab/chapters.
- The README's links are relative. Built on GitHub, as releases are, a wheel has them in full, and
  names the repository: there, and only there, its address is known.
"""

import os
import re
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

SHIPPED = ["[0-9]*.ipynb", "LICENSE", "configs/*.json", "source/*.py"]
SHIPPED += ["cheat_sheet.ipynb", "formulas.ipynb", "glossary.ipynb"]
SHIPPED += [f"checkpoints/*.{kind}" for kind in ("json", "jsonl", "safetensors")]
HERE = Path(__file__).resolve().parent


class WithChapters(build_py):
    """`build_py`, which then copies chapters/ to ddpm_lab/chapters; a clone needs no copy."""

    def run(self):
        super().run()
        if not self.editable_mode:
            for pattern in SHIPPED:
                for source in sorted(HERE.joinpath("chapters").glob(pattern)):
                    self._copy(source, Path(self.build_lib, "ddpm_lab", source.relative_to(HERE)))

    def _copy(self, source, target):
        self.mkpath(str(target.parent))
        self.copy_file(str(source), str(target))


def repository():
    """The address of the repository that is being built on GitHub; "" elsewhere."""
    name = os.environ.get("GITHUB_REPOSITORY", "")
    return f"{os.environ.get('GITHUB_SERVER_URL', 'https://github.com')}/{name}" if name else ""


def version():
    text = (HERE / "ddpm_lab" / "__init__.py").read_text(encoding="utf-8")
    return re.findall(r'^__version__ = "(.+)"$', text, re.M)[0]


def readme(home):
    """The README; its links lead to the release's files where the repository is known."""
    text = (HERE / "README.md").read_text(encoding="utf-8")
    if not home:
        return text
    # a picture, a link, or the end of a link around a picture
    link = r"(!?\[[^\[\]]*\]|\])\((?!https?:|mailto:|#)([^()\s]+)\)"
    kind = {True: "raw", False: "blob"}
    return re.sub(
        link, lambda m: f"{m[1]}({home}/{kind[m[1][0] == '!']}/v{version()}/{m[2]})", text
    )


def urls(home):
    if not home:
        return {}
    changes = f"{home}/blob/v{version()}/CHANGELOG.md"
    return {"Source": home, "Issues": f"{home}/issues", "Changelog": changes}


setup(
    cmdclass={"build_py": WithChapters},
    long_description=readme(repository()),
    long_description_content_type="text/markdown",
    project_urls=urls(repository()),
)

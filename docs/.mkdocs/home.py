"""What the site has beyond docs/: the README as its home page, the changelog, and CSV tables."""

from pathlib import Path
from typing import Any

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parents[2]
TABLES = {
    "../diswot/bench/embedded/": ROOT / "diswot" / "bench" / "embedded",
    "../benchmarks/results/": ROOT / "benchmarks" / "results",
}
"""Where pages link to a CSV of the repository, and the folder that it is in."""


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add pages and tables that are outside of docs/."""
    home = (ROOT / "README.md").read_text(encoding="utf-8").replace("](docs/", "](")
    home = home.replace('src="docs/', 'src="').replace("](CHANGELOG.md)", "](changelog.md)")
    files.append(File.generated(config, "index.md", content=home))
    changes = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    files.append(File.generated(config, "changelog.md", content=changes))
    for folder in TABLES.values():
        for table in folder.glob("*.csv"):
            files.append(File.generated(config, f"tables/{table.name}", abs_src_path=str(table)))
    return files


def on_page_markdown(markdown: str, **_: Any) -> str:
    """Let links to tables of the repository lead to their copies in the site."""
    for link in TABLES:
        markdown = markdown.replace(f"]({link}", "](tables/")
    return markdown

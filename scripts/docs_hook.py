"""For MkDocs (mkdocs.yml): links to files of the project outside of docs/ become their names, for the site does not hold them."""
import posixpath
import re

OUTSIDE = re.compile(r"\[([^\]]*)\]\((\.\./[^)#\s]*)(#[^)\s]*)?\)")


def on_page_markdown(markdown, page, config, files):
    folder = posixpath.dirname("docs/" + page.file.src_uri)

    def plain(match):
        target = posixpath.normpath(posixpath.join(folder, match[2]))
        return match[0] if target.startswith("docs/") else f"{match[1]} (`{target}`)"

    return OUTSIDE.sub(plain, markdown)

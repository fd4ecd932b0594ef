/** Every row of every table, heads included. */
export function tableRows(source: string): string[] {
  return withoutBlocks(source).match(/^\| .*$/gm) ?? [];
}

/** The first code span of a table row's first cell; empty where there is none. */
export function firstCode(row: string): string {
  return codesIn(row.split(' | ')[0] ?? '')[0] ?? '';
}

/** Every code span outside code blocks. */
export function codesIn(source: string): string[] {
  return [...withoutBlocks(source).matchAll(/`([^`\n]+)`/g)].map(([, code]) => code ?? '');
}

/** The target of every link. */
export function linksIn(source: string): string[] {
  return [...withoutBlocks(source).matchAll(/\]\(([^)\s]+)\)/g)].map(([, link]) => link ?? '');
}

/** The anchors that GitHub gives to headings. */
export function anchorsOf(source: string): string[] {
  const headings = [...withoutBlocks(source).matchAll(/^#+ (.*)$/gm)].map(([, heading]) => heading ?? '');
  return headings.map((heading) =>
    heading
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .replaceAll(' ', '-'),
  );
}

/** Every fenced code block, fences included. */
export function blocksOf(source: string): string[] {
  return source.match(/^```[^\n]*\n[\s\S]*?^```$/gm) ?? [];
}

/** The text around the code blocks. */
export function withoutBlocks(source: string): string {
  return blocksOf(source).reduce((rest, block) => rest.replace(block, ''), source);
}

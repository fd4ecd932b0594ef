/**
 * What a test file calls its tests and groups, as it writes it: `test('…'`, `test.each(…)('…'`, and the same of
 * `describe`, placeholders included. Comments, helpers and strings of other kinds are none.
 */
export function titlesIn(text: string): string[] {
  return [...text.matchAll(TITLE)].map(([, , title = '']) => title.replaceAll(/\\(.)/g, '$1'));
}

/** A table of cases ends at the first `)(` before a string. */
const TITLE =
  /^[ \t]*(?:test|describe)(?:\(|\.each(?:<[^;]*?>)?[(`](?:(?!^[ \t]*(?:test|describe)\b)[\s\S])*?[)`]\()\s*(['"`])((?:\\.|(?!\1).)*)\1/gm;

/**
 * Makes a search of a regular expression in RE2's syntax, in time that grows with the text alone: no expression and no
 * log line can make it hang. Its library is loaded only when it is used.
 *
 * @throws Error that says what is wrong with the expression.
 */
export async function grep(expression: string): Promise<(text: string) => boolean> {
  const { RE2JS } = await import('re2js');
  const pattern = RE2JS.compile(expression);
  return (text) => pattern.matcher(text).find();
}

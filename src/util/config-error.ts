/** What was configured cannot work: the start ends with exit code 2, and every mistake is told. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
  /** At least one; each a sentence that names the setting, its value and what would be right. */
  readonly mistakes: readonly string[];

  constructor(mistakes: readonly string[], options?: ErrorOptions) {
    super(mistakes.join('\n'), options);
    this.mistakes = mistakes;
  }
}

import { access, constants, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { encodeNodeReport, type NodeReport, nodeReportPath, parseNodeReport } from './node-report.ts';
import type { NodeReports } from './node-reports.ts';

/** Keeps the report of the node in a file beside the output of the writer `file`; it is replaced as a whole. */
export class FileNodeReports implements NodeReports {
  readonly name = 'file';
  readonly #filePath: string;

  /** @param filePath FILE_PATH. */
  constructor(filePath: string) {
    this.#filePath = filePath;
  }

  async last(node: string): Promise<NodeReport | undefined> {
    try {
      return parseNodeReport(await readFile(nodeReportPath(this.#filePath, node), 'utf8'));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  async check(node: string): Promise<undefined> {
    const path = nodeReportPath(this.#filePath, node);
    for (let directory = dirname(path); ; directory = dirname(directory)) {
      try {
        await access(directory, constants.W_OK);
        return;
      } catch (error) {
        const { code } = error as NodeJS.ErrnoException;
        // It is made with the first report.
        if (code === 'ENOENT' && directory !== dirname(directory)) continue;
        throw new Error(`${directory} cannot be written: ${code}`, { cause: error });
      }
    }
  }

  /** Not synced: a report that is lost with the power is followed by the next. */
  async publish(report: NodeReport): Promise<void> {
    const path = nodeReportPath(this.#filePath, report.node);
    const temporary = `${path}.tmp`;
    await mkdir(dirname(path), { recursive: true });
    await writeFile(temporary, encodeNodeReport(report), { mode: 0o600 });
    await rename(temporary, path);
  }
}

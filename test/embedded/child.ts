import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

/** Another process with our sources, in a group of its own. */
export type Child = { readonly process: ChildProcess; readonly pid: number; nextLine(): Promise<string> };

/** Runs the body of a module in another process; `load('src/…')` imports a source, `tell` sends us a line. */
export function runInChild(body: string): Child {
  const prelude = `
    import { createJiti } from 'jiti';
    const load = (path) => createJiti(${JSON.stringify(ROOT)}).import('./' + path);
    const tell = (line) => process.stdout.write(line + '\\n');
    const stay = () => process.stdin.resume().once('end', () => process.exit()); // never longer than we live
  `;
  const child = spawn(process.execPath, ['--input-type=module', '-e', prelude + body], {
    cwd: ROOT,
    detached: true,
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async () => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the child ended without a word');
    return value;
  };
  if (child.pid === undefined) throw new Error('the child did not start');
  return { process: child, pid: child.pid, nextLine };
}

/** Sends a signal to the child's whole process group and waits for the child's end. */
export async function signalGroup(child: Child, signal: NodeJS.Signals): Promise<void> {
  const exit = once(child.process, 'exit');
  process.kill(-child.pid, signal);
  await exit;
}

const ROOT = fileURLToPath(new URL('../../', import.meta.url));

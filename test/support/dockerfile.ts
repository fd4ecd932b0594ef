import { execFile } from 'node:child_process';
import { cp, mkdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { ROOT, repositoryFiles } from './repository.ts';

/** One instruction: `RUN`, and what stands behind it. */
type Step = { readonly word: string; readonly rest: string };
export type Stage = { readonly name: string; readonly image: string; readonly steps: readonly Step[] };

/** The stages of a Dockerfile as ours is written: one instruction on a line, no variables, no here-documents. */
export function parseDockerfile(text: string): Stage[] {
  const stages: { name: string; image: string; steps: Step[] }[] = [];
  for (const line of text.split('\n')) {
    const [, word = '', rest = ''] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (line === '' || line.startsWith('#')) continue;
    if (word === '') throw new Error(`not an instruction on one line: ${line}`);
    if (word !== 'FROM') {
      stages.at(-1)?.steps.push({ word, rest });
      continue;
    }
    const [image = '', , name = 'image'] = rest.split(/\s+/);
    stages.push({ name, image, steps: [] });
  }
  return stages;
}

/** What a `docker build` would be sent: the files that `.dockerignore` lets through, sorted. */
export function contextFiles(dockerignore: string): string[] {
  const lines = dockerignore.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return repositoryFiles()
    .map(({ path }) => path)
    .filter((path) => {
      let sent = true;
      for (const line of lines) {
        const name = line.replace(/^!/, '');
        if (name === '*' || path === name || path.startsWith(`${name}/`)) sent = line.startsWith('!');
      }
      return sent;
    });
}

/**
 * Carries out the stages' COPY and npm steps in empty directories, `directory/<stage>/app` for a stage's `/app`, and
 * resolves to the last stage's. What else a stage runs is a matter of the image and is left out.
 */
export async function carryOut(stages: readonly Stage[], context: readonly string[], directory: string) {
  let app = '';
  for (const stage of stages) {
    app = join(directory, stage.name, 'app');
    await mkdir(app, { recursive: true });
    for (const { word, rest } of stage.steps) {
      if (word === 'COPY') await copy(rest.split(/\s+/), context, directory, app);
      if (word === 'RUN' && rest.startsWith('npm ')) await npm(rest, app);
    }
  }
  return app;
}

async function copy(words: string[], context: readonly string[], directory: string, app: string): Promise<void> {
  const stage = words[0]?.startsWith('--from=') ? words.shift()?.slice('--from='.length) : undefined;
  const target = words.pop() ?? '';
  for (const source of words) {
    if (stage !== undefined) {
      await cp(join(directory, stage, source), join(app, target), { recursive: true, verbatimSymlinks: true });
      continue;
    }
    for (const path of context.filter((name) => source === '.' || name === source || name.startsWith(`${source}/`))) {
      const isFile = path === source;
      const below = source === '.' ? path : isFile ? basename(path) : path.slice(source.length);
      await mkdir(dirname(join(app, target, below)), { recursive: true });
      await cp(join(ROOT, path), join(app, target, below));
    }
  }
}

/** npm as on a machine of its own: nothing of the npm or the jest that runs these tests, but where packages come from. */
async function npm(command: string, cwd: string): Promise<void> {
  const kept = /^(?!npm_|NODE_|INIT_CWD$|JEST_)|^npm_config_(registry|cache|userconfig|globalconfig|cafile|.*proxy)$/i;
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => kept.test(name)));
  await promisify(execFile)('/bin/sh', ['-c', command], {
    cwd,
    env: { ...env, npm_config_prefer_offline: 'true' },
    maxBuffer: 64 * 1024 * 1024,
  });
}

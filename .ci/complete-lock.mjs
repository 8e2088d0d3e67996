// Adds to package-lock.json the optional packages of other platforms that npm left out because the registry in use
// does not have them: `npm ci` refuses a lock file without them. `npm run lock` does `npm install` and this.
import { readFileSync, writeFileSync } from 'node:fs';

const path = new URL('../package-lock.json', import.meta.url);
const lock = JSON.parse(readFileSync(path, 'utf8'));
const systems = ['android', 'darwin', 'freebsd', 'linux', 'netbsd', 'openharmony', 'win32'];
const processors = ['arm64', 'x64', 'ia32', 'ppc64', 'riscv64', 's390x', 'loong64', 'arm', 'wasm32'];

let added = 0;
for (const [parent, { optionalDependencies = {}, dev }] of Object.entries(lock.packages)) {
  for (const [name, version] of Object.entries(optionalDependencies)) {
    if (lock.packages[`node_modules/${name}`] ?? lock.packages[`${parent}/node_modules/${name}`]) continue;
    if (!/^\d+\.\d+\.\d+$/.test(version)) throw new Error(`Cannot add ${name}: ${version} is no version`);
    // The words of its name tell what npm would have read in the package.
    const words = new Set(name.split(/[/-]/));
    const cpu = processors.filter((word) => words.has(word));
    const os = systems.filter((word) => words.has(word));
    lock.packages[`node_modules/${name}`] = { version, cpu, dev, optional: true, os };
    added++;
  }
}
lock.packages = Object.fromEntries(
  Object.entries(lock.packages).toSorted(([a], [b]) => a.localeCompare(b, 'en')),
);
writeFileSync(path, `${JSON.stringify(lock, null, 2)}\n`);
console.log(`${added} packages of other platforms added to package-lock.json`);

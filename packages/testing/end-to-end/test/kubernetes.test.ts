import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import { parse, parseAllDocuments } from 'yaml';
import { queueKey } from '../src';

/** docs/kubernetes, held to the types of Kubernetes and KEDA: a wrong or unknown field does not compile. */

const root = join(__dirname, '../../../..');
const folder = join(root, 'docs/kubernetes');
const text = (file: string) => readFileSync(join(folder, file), 'utf8');
const { resources } = parse(text('kustomization.yaml')) as { resources: string[] };

interface Container {
  name: string;
  command?: string[];
  envFrom?: object[];
  securityContext: object;
}
interface Manifest {
  kind: string;
  apiVersion: string;
  metadata: { name: string };
  data?: Record<string, string>;
  spec?: { template?: { spec: { containers: Container[] } } } & Record<string, unknown>;
}
const manifests = resources.flatMap(file => parseAllDocuments(text(file)).map(one => one.toJS() as Manifest));

const moduleOf = ({ apiVersion, kind }: Manifest) =>
  apiVersion.includes('keda.sh')
    ? `@kubernetes-models/keda/${apiVersion}/${kind}`
    : `kubernetes-models/${apiVersion}/${kind}`;

/** What TypeScript says about manifests as values of their types. */
function problemsIn(some: readonly Manifest[]): string[] {
  const source = some
    .map(
      (one, n) => `import type { I${one.kind} as Kind${n} } from '${moduleOf(one)}';
      export const manifest${n}: Kind${n} = ${JSON.stringify(one)};`,
    )
    .join('\n');
  const file = join(__dirname, 'kubernetes-manifests.ts');
  const options: ts.CompilerOptions = {
    module: ts.ModuleKind.ESNext,
    moduleResolution: ts.ModuleResolutionKind.Bundler,
    strict: true,
    noEmit: true,
    skipLibCheck: true,
    types: [],
  };
  const host = ts.createCompilerHost(options);
  const { getSourceFile, fileExists } = host;
  host.fileExists = name => name === file || fileExists(name);
  host.getSourceFile = (name, ...rest) =>
    name === file ? ts.createSourceFile(name, source, ts.ScriptTarget.ES2022) : getSourceFile(name, ...rest);
  const found = ts.getPreEmitDiagnostics(ts.createProgram([file], options, host));
  return found.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'));
}

const named = (kind: string, name: string) => {
  const found = manifests.find(one => one.kind === kind && one.metadata.name === name);
  if (!found) throw new Error(`no ${kind} ${name}`);
  return structuredClone(found);
};

it('names every file, and each follows the schema of Kubernetes or KEDA', () => {
  expect([...resources, 'kustomization.yaml'].sort()).toEqual(readdirSync(folder).sort());
  expect(manifests.length).toBeGreaterThan(8);
  expect(problemsIn(manifests)).toEqual([]);
});

it('would find a field that does not exist, and a value of another type', () => {
  const worker = named('Deployment', 'stock-sync-worker');
  Object.assign(worker.spec?.template?.spec.containers[0] ?? {}, { imag: 'x' });
  expect(problemsIn([worker])).toEqual([expect.stringContaining(`'"imag"' does not exist`)]);
  const scaler = named('ScaledObject', 'stock-sync-worker');
  Object.assign(scaler.spec ?? {}, { maxReplicaCount: '8' });
  expect(problemsIn([scaler])).toEqual([expect.stringContaining("'string' is not assignable to type 'number'")]);
}, 30_000);

it('scales workers by the queue that there really is', () => {
  const triggers = named('ScaledObject', 'stock-sync-worker').spec?.triggers as { metadata: { listName: string } }[];
  expect(triggers.map(({ metadata }) => metadata.listName)).toEqual([queueKey('parts', 'wait')]);
});

it.each([
  ['ingest', 'stock-sync-webhook'],
  ['worker', 'stock-sync-systems'],
  ['dashboard', 'stock-sync-dashboard'],
])('runs %s from its built file, unprivileged, with no secret but its own', (app, secret) => {
  const [container] = named('Deployment', `stock-sync-${app}`).spec?.template?.spec.containers ?? [];
  expect(existsSync(join(root, container?.command?.[1] ?? ''))).toBe(true);
  expect(container?.envFrom).toEqual([{ configMapRef: { name: 'stock-sync' } }, { secretRef: { name: secret } }]);
  expect(container?.securityContext).toEqual({
    allowPrivilegeEscalation: false,
    readOnlyRootFilesystem: true,
    capabilities: { drop: ['ALL'] },
  });
});

it('has only settings that exist', () => {
  const documented = readFileSync(join(root, 'docs/settings.md'), 'utf8');
  const settings = Object.keys(named('ConfigMap', 'stock-sync').data ?? {});
  expect(settings.filter(name => !documented.includes(`\`${name}\``))).toEqual([]);
});

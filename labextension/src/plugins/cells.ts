import type { Kind } from '../tokens';
import { refsOf } from '../tokens';

const IMPORT = 'import snapml_jupyter as snap\n\n';

/** A reference as Python text. */
function quoted(ref: string): string {
  return JSON.stringify(ref);
}

/** A name for a variable: what comes before the version, as an identifier. */
export function variableFor(ref: string): string {
  const plain = ref.replace(/[@:].*$/, '').replace(/\W+/g, '_');
  return /^[A-Za-z_]/.test(plain) ? plain : `data_${plain}`;
}

/** The cell that brings a thing into the notebook. */
export function cellFor(kind: Kind, ref: string): string {
  switch (kind) {
    case 'run':
      return `${IMPORT}run = snap.run(${quoted(ref)})\nrun`;
    case 'comparison':
      return `%snap_compare ${refsOf(ref).join(' ')}`;
    case 'dataset':
      return `${IMPORT}${variableFor(ref)} = snap.dataset(${quoted(ref)}).to_pandas()\n${variableFor(ref)}.head()`;
    case 'model':
      return `${IMPORT}model = snap.load_model(${quoted(ref)})\nmodel`;
    case 'endpoint':
      return `${IMPORT}endpoint = snap.endpoint(${quoted(ref)})\nendpoint`;
    case 'monitor':
    case 'alert':
      return `%snap_monitor ${ref}`;
  }
}

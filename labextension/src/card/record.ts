import type { RunCard } from '../api/types';

/** The form in which the card of a recorded cell stands in its output; `magics/card.py` writes it. */
export const MIME_TYPE = 'application/vnd.snapml.run+json';

/** The card in an output's data; undefined when there is none, or none that can be read. */
export function cardIn(data: Readonly<Record<string, unknown>>): RunCard | undefined {
  const found = data[MIME_TYPE] as Partial<RunCard> | undefined;
  const isCard =
    typeof found?.run_id === 'string' &&
    typeof found.name === 'string' &&
    typeof found.status === 'string' &&
    Array.isArray(found.metrics);
  if (!isCard) {
    return undefined;
  }
  // What a later or an earlier version may not have written.
  const absent = { inputs: [], warnings: [], seconds: 0, model: null, model_ref: null };
  return { ...absent, ...found } as unknown as RunCard;
}

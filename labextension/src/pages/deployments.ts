import type { Deployment, EndpointInfo, Signature, SignatureColumn } from '../api/types';

/** A value of a request, as JSON has it. */
export type Value = string | number | boolean | null;

/** The champion, else what is live beside it, else the newest. */
export function currentDeployment(endpoint: EndpointInfo): Deployment | undefined {
  const live = endpoint.deployments.filter(deployment => deployment.status === 'live');
  const champion = live.find(deployment => deployment.arm === 'champion');
  return champion ?? live[live.length - 1] ?? endpoint.deployments[endpoint.deployments.length - 1];
}

/** What rolling an endpoint back does; undefined when there is nothing to go back to. */
export function rollBackOf(
  endpoint: EndpointInfo
): { taken: string; stays: string } | { from: string; to: string } | undefined {
  const live = endpoint.deployments.filter(deployment => deployment.status === 'live');
  const champion = live.find(deployment => deployment.arm === 'champion');
  const other =
    live.find(deployment => deployment.arm === 'challenger') ??
    live.find(deployment => deployment.arm === 'shadow');
  if (champion === undefined) {
    return undefined;
  }
  if (other !== undefined) {
    return { taken: other.model_ref, stays: champion.model_ref };
  }
  const [before] = endpoint.deployments
    .filter(
      deployment =>
        deployment.status === 'retired' &&
        deployment.arm === 'champion' &&
        deployment.live_at !== null &&
        deployment.model_ref !== champion.model_ref
    )
    .sort((a, b) => Date.parse(b.live_at ?? '') - Date.parse(a.live_at ?? ''));
  return before && { from: champion.model_ref, to: before.model_ref };
}

/** A row made of the examples in the signature. */
export function exampleRow(signature: Signature | undefined): Record<string, Value> {
  return Object.fromEntries((signature?.inputs ?? []).map(column => [column.name, column.example]));
}

/**
 * What was typed, as the type the column has; nothing typed means missing.
 *
 * Text that is no number is sent as it is, so that the endpoint's own sentence about it is seen.
 */
export function typedValue(column: SignatureColumn, text: string): Value {
  if (text === '') {
    return null;
  }
  switch (column.kind) {
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : text;
    case 'integer':
    case 'float': {
      const number = Number(text);
      return Number.isNaN(number) ? text : number;
    }
    default:
      return text;
  }
}

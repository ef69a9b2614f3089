import React from 'react';
import type { Kind } from '../tokens';
import { CommandIDs } from '../tokens';
import { useSurroundings } from './surroundings';

/** A reference that opens its page. */
export function RefLink(props: {
  kind: Kind;
  to: string;
  children?: React.ReactNode;
}): React.ReactElement {
  const { commands, trans } = useSurroundings();
  return (
    <button
      type="button"
      className="jp-snapml-link"
      title={trans.__('Open %1', props.to)}
      onClick={() => void commands.execute(CommandIDs.open, { kind: props.kind, ref: props.to })}
    >
      {props.children ?? props.to}
    </button>
  );
}

/** Links separated by dots. */
export function RefLinks(props: { kind: Kind; to: readonly string[] }): React.ReactElement {
  return (
    <>
      {props.to.map((ref, i) => (
        <React.Fragment key={ref}>
          {i > 0 && ' · '}
          <RefLink kind={props.kind} to={ref} />
        </React.Fragment>
      ))}
    </>
  );
}

import React from 'react';
import { sentence, SnapMLError } from '../api/errors';
import type { IAnswer } from '../live/hooks';
import { CommandIDs } from '../tokens';
import { useSurroundings } from './surroundings';

/** What failed, why, what to do, and a way to try again. */
export function Problem(props: { error: unknown; onRetry?: () => void }): React.ReactElement {
  const { trans } = useSurroundings();
  return (
    <div className="jp-snapml-problem" role="alert">
      <span className="jp-snapml-status-shape" aria-hidden="true">
        ✕
      </span>
      <span>{sentence(props.error, trans)}</span>
      {props.onRetry && (
        <button type="button" className="jp-snapml-link" onClick={props.onRetry}>
          {trans.__('Retry')}
        </button>
      )}
    </div>
  );
}

/** Grey rows in the place of rows that were never here yet. */
export function Skeleton(props: { n?: number }): React.ReactElement {
  const { trans } = useSurroundings();
  return (
    <div className="jp-snapml-skeleton" role="status" aria-label={trans.__('Loading')}>
      {Array.from({ length: props.n ?? 3 }, (_, i) => (
        <div key={i} className="jp-snapml-skeleton-row" />
      ))}
    </div>
  );
}

/** A thin line above content that is being fetched again. */
export function ProgressLine(props: { isActive: boolean }): React.ReactElement {
  return (
    <div
      className="jp-snapml-progress"
      data-active={props.isActive || undefined}
      aria-hidden="true"
    />
  );
}

/** What will appear here, and the cell that makes it appear. */
export function Empty(props: { text: string; code?: string }): React.ReactElement {
  const { trans, commands } = useSurroundings();
  return (
    <div className="jp-snapml-empty">
      <p>{props.text}</p>
      {props.code && (
        <>
          <pre>{props.code}</pre>
          <button
            type="button"
            className="jp-snapml-link"
            onClick={() => void commands.execute(CommandIDs.insertCell, { code: props.code })}
          >
            {trans.__('Insert as cell')}
          </button>
        </>
      )}
    </div>
  );
}

/** Content of an answer: skeleton the first time, then the content, with the error above it when asking failed. */
export function Answered<T>(props: {
  answer: IAnswer<T>;
  skeletonRows?: number;
  children: (data: T) => React.ReactNode;
}): React.ReactElement {
  const { answer } = props;
  // What no longer exists must not stand there as if it did.
  const isGone = answer.error instanceof SnapMLError && answer.error.code === 'not_found';
  return (
    <>
      {answer.error !== undefined && <Problem error={answer.error} onRetry={answer.retry} />}
      {answer.data !== undefined && !isGone ? (
        props.children(answer.data)
      ) : answer.error === undefined ? (
        <Skeleton n={props.skeletonRows} />
      ) : null}
    </>
  );
}

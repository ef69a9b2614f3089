import React, { useEffect, useState } from 'react';
import { age, duration, NOTHING, until, utc } from '../format';
import { useSurroundings } from './surroundings';

const TICK_MILLISECONDS = 5000;

// One timer for all ages on the page, running only while there are any.
const listeners = new Set<() => void>();
let timer: number | undefined;

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  timer ??= window.setInterval(() => {
    if (!document.hidden) {
      listeners.forEach(tell => tell());
    }
  }, TICK_MILLISECONDS);
  return () => {
    listeners.delete(listener);
    if (listeners.size === 0) {
      window.clearInterval(timer);
      timer = undefined;
    }
  };
}

/** How long ago, with the exact UTC time on hover. */
export function Age(props: { at: string | null }): React.ReactElement {
  const { trans } = useSurroundings();
  const [, redraw] = useState(0);
  useEffect(() => subscribe(() => redraw(n => n + 1)), []);
  if (props.at === null) {
    return <span>{NOTHING}</span>;
  }
  return (
    <time className="jp-snapml-age" dateTime={props.at} title={utc(props.at)}>
      {age(props.at, Date.now(), trans)}
    </time>
  );
}

/** How long until then, with the exact UTC time on hover. */
export function Until(props: { at: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const [, redraw] = useState(0);
  useEffect(() => subscribe(() => redraw(n => n + 1)), []);
  return (
    <time className="jp-snapml-age" dateTime={props.at} title={utc(props.at)}>
      {until(props.at, Date.now(), trans)}
    </time>
  );
}

/** How long something has been going on by now. */
export function Elapsed(props: { since: string }): React.ReactElement {
  const [, redraw] = useState(0);
  useEffect(() => subscribe(() => redraw(n => n + 1)), []);
  const seconds = Math.max(0, (Date.now() - Date.parse(props.since)) / 1000);
  return <time title={utc(props.since)}>{duration(Math.floor(seconds))}</time>;
}

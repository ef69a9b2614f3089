import React, { useLayoutEffect, useRef, useState } from 'react';
import type { HostLog } from '../api/types';
import { useOperation } from '../live/hooks';
import { useSettled } from '../live/settled';
import { CopyButton } from '../parts/copy';
import { Part } from '../parts/page';
import { Answered } from '../parts/states';
import { useSurroundings } from '../parts/surroundings';

const LIVE_MILLISECONDS = 2000;
const N_LINES = 500;

/** The newest lines of the host and its workers, which serve all endpoints, as they are written. */
export function EndpointLogs(props: { name: string }): React.ReactElement {
  const { trans } = useSurroundings();
  const [text, setText] = useState('');
  const [isOwn, setOwn] = useState(false);
  const [isFollowing, setFollowing] = useState(true);
  const words = useSettled(text.trim());
  const contains = [isOwn && props.name, words].filter(Boolean).join(' ');
  const answer = useOperation(
    'serving.read_host_log',
    { n_lines: N_LINES, contains },
    { everyMilliseconds: LIVE_MILLISECONDS }
  );
  return (
    <Part title={trans.__('Host and workers')} note={answer.data?.path}>
      <div className="jp-snapml-log-tools">
        <input
          type="search"
          className="jp-mod-styled"
          aria-label={trans.__('Filter the lines')}
          placeholder={trans.__('Filter the lines…')}
          value={text}
          onChange={event => setText(event.target.value)}
        />
        <label>
          <input type="checkbox" checked={isOwn} onChange={event => setOwn(event.target.checked)} />
          {trans.__('only lines that name %1', props.name)}
        </label>
        <label>
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={event => setFollowing(event.target.checked)}
          />
          {trans.__('follow')}
        </label>
        <CopyButton
          text={(answer.data?.lines ?? []).join('\n')}
          label={trans.__('Copy the lines')}
        />
      </div>
      <Answered answer={answer} skeletonRows={8}>
        {log => (
          <Lines log={log} contains={contains} isFollowing={isFollowing} onFollow={setFollowing} />
        )}
      </Answered>
    </Part>
  );
}

function Lines(props: {
  log: HostLog;
  contains: string;
  isFollowing: boolean;
  onFollow: (isFollowing: boolean) => void;
}): React.ReactElement {
  const { log, contains, isFollowing } = props;
  const { trans } = useSurroundings();
  const box = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    if (isFollowing && box.current !== null) {
      box.current.scrollTop = box.current.scrollHeight;
    }
  }, [log, isFollowing]);
  return (
    <div
      ref={box}
      className="jp-snapml-log"
      role="log"
      // Lines arrive by the dozen: they are read when somebody goes there, not spoken as they come.
      aria-live="off"
      aria-label={trans.__('Newest lines of the log')}
      tabIndex={0}
      onScroll={event => {
        const { scrollTop, scrollHeight, clientHeight } = event.currentTarget;
        const isAtEnd = scrollHeight - scrollTop - clientHeight < 8;
        if (isAtEnd !== isFollowing) {
          props.onFollow(isAtEnd);
        }
      }}
    >
      {log.lines.length === 0 ? (
        <p className="jp-snapml-quiet">
          {contains === ''
            ? trans.__('The host has written nothing yet.')
            : trans.__('No line has “%1”.', contains)}
        </p>
      ) : (
        <>
          {log.has_more && (
            <p className="jp-snapml-quiet">
              {trans.__('Older lines: snapml host logs --lines 10000')}
            </p>
          )}
          {log.lines.map((line, place) => (
            <Line key={place} text={line} />
          ))}
        </>
      )}
    </div>
  );
}

/** The time, where the line begins with one, steps back behind what happened. */
const Line = React.memo(function Line(props: { text: string }): React.ReactElement {
  const found = /^(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)Z /.exec(props.text);
  return (
    <div>
      {found !== null && (
        <time dateTime={found[0].trim()} title={`${found[1]} ${found[2]} UTC`}>
          {found[2]}
        </time>
      )}
      {found === null ? props.text : props.text.slice(found[0].length)}
    </div>
  );
});

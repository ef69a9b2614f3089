import React, { useEffect, useRef } from 'react';
import { CopyButton } from './copy';
import { useSurroundings } from './surroundings';

/** Code to read: highlighted by Lab's own editor where it can be, plain text otherwise. */
export function Code(props: {
  text: string;
  language?: string;
  label: string;
  /** Counts from 1. */
  markedLine?: number | null;
}): React.ReactElement {
  const { trans, highlight } = useSurroundings();
  const place = useRef<HTMLElement>(null);
  const { text, language = 'python', markedLine } = props;

  useEffect(() => {
    const node = place.current;
    if (node === null) {
      return;
    }
    node.textContent = text;
    let isGone = false;
    if (highlight) {
      const drawn = document.createElement('code');
      // Magics and shell lines are not Python, but the highlighter only colours them oddly.
      void highlight(text, language, drawn).then(() => {
        if (!isGone) {
          node.replaceChildren(...drawn.childNodes);
        }
      });
    }
    return () => {
      isGone = true;
    };
  }, [text, language, highlight]);

  const n = text.split('\n').length;
  return (
    <div className="jp-snapml-code">
      <CopyButton text={text} label={trans.__('Copy')} />
      <div className="jp-snapml-code-scroll" tabIndex={0} role="group" aria-label={props.label}>
        <ol className="jp-snapml-code-lines" aria-hidden="true">
          {Array.from({ length: n }, (_, i) => (
            <li key={i} data-marked={markedLine === i + 1 || undefined}>
              {i + 1}
            </li>
          ))}
        </ol>
        <pre>
          <code ref={place} />
        </pre>
      </div>
    </div>
  );
}

import { checkIcon, copyIcon } from '@jupyterlab/ui-components';
import { Clipboard } from '@jupyterlab/apputils';
import React, { useEffect, useState } from 'react';
import { useSurroundings } from './surroundings';

/** A button that copies a text and says so. */
export function CopyButton(props: {
  text: string;
  label: string;
  children?: React.ReactNode;
}): React.ReactElement {
  const { trans } = useSurroundings();
  const [isCopied, setCopied] = useState(false);
  useEffect(() => {
    if (!isCopied) {
      return;
    }
    const timer = window.setTimeout(() => setCopied(false), 1500);
    return () => window.clearTimeout(timer);
  }, [isCopied]);
  const Icon = isCopied ? checkIcon : copyIcon;
  return (
    <button
      type="button"
      className="jp-snapml-copy"
      title={props.label}
      aria-label={isCopied ? trans.__('Copied') : props.label}
      onClick={() => {
        Clipboard.copyToSystem(props.text);
        setCopied(true);
      }}
    >
      {props.children}
      <Icon.react tag="span" width="14px" height="14px" />
    </button>
  );
}

import { useEffect, useState } from 'react';

/** Pause after the last key before the server is asked. */
const TYPING_MILLISECONDS = 200;

/** The text once nobody has typed for a moment; at once when it is emptied. */
export function useSettled(text: string): string {
  const [settled, setSettled] = useState(text);
  useEffect(() => {
    const timer = window.setTimeout(() => setSettled(text), text === '' ? 0 : TYPING_MILLISECONDS);
    return () => window.clearTimeout(timer);
  }, [text]);
  return text === '' ? text : settled;
}

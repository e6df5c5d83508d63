/**
 * Something to see while the viewer starts: the hub's own small picture of the study, marked as a preview, gone as soon as
 * the first image is drawn. The viewer's code takes a slow PC a second or two; this takes a request.
 */
import { dicomweb, opened } from './hub.ts';
import { words } from './text.ts';

/** Cornerstone's event on the element that shows an image. */
const RENDERED = 'CORNERSTONE_IMAGE_RENDERED';
const LONGEST_MS = 30_000;

export function preview(): void {
  if (opened === '') return;
  const frame = document.createElement('div');
  frame.dataset['preview'] = '';
  frame.style.cssText =
    'position:fixed;inset:0;z-index:10;display:flex;flex-direction:column;align-items:center;justify-content:center;background:#000;color:#9ab;font:14px sans-serif;pointer-events:none';
  const picture = new Image();
  picture.alt = words().preview;
  picture.style.cssText = 'max-width:90%;max-height:85%;min-height:50%;object-fit:contain';
  const note = document.createElement('p');
  note.textContent = words().preview;
  frame.append(picture, note);
  const end = (): void => {
    frame.remove();
    document.removeEventListener(RENDERED, shown, true);
  };
  // An empty viewport is drawn as well; an image is there when its pixels are kept.
  const shown = (): void => {
    if ((window.cornerstone?.cache.getCacheSize() ?? 0) > 0) end();
  };
  document.addEventListener(RENDERED, shown, true);
  setTimeout(end, LONGEST_MS);
  picture.onload = () => performance.mark('hutong-preview');
  picture.onerror = end;
  picture.src = `${dicomweb}/studies/${encodeURIComponent(opened)}/thumbnail?viewport=512,512`;
  document.body.append(frame);
}

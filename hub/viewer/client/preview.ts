/**
 * Something to see while the viewer starts: the hub's own small picture of the study, marked as a preview, gone as soon as
 * the first image is drawn. The viewer's code takes a slow PC a second or two; this takes a request.
 */
import { firstImage } from './first-image.ts';
import { dicomweb, opened } from './hub.ts';
import { words } from './text.ts';

const LONGEST_MS = 30_000;

export function preview(): void {
  if (opened() === '') return;
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
  void firstImage(LONGEST_MS).then(() => frame.remove());
  picture.onload = () => performance.mark('hutong-preview');
  picture.onerror = () => frame.remove();
  picture.src = `${dicomweb}/studies/${encodeURIComponent(opened())}/thumbnail?viewport=512,512`;
  document.body.append(frame);
}

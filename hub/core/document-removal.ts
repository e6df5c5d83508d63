/** Whether registry objects may be deleted (ITI TF-2 §3.62.4.1.3): nothing that stays may speak of what goes, or be lost. */
import type { DocumentAssociation, EntryId, RegistryObject, RegistryProblem } from './document.ts';
import { registryError } from './document-register.ts';

export interface RemovalScene {
  /** Of the ids asked for. */
  readonly objects: readonly RegistryObject[];
  /** Of the ids asked for, those with one of them at an end, and those that lead to the targets of the first. */
  readonly associations: readonly DocumentAssociation[];
  /** Kinds of the objects that the removed associations join, by id. */
  readonly kinds: ReadonlyMap<EntryId, RegistryObject['kind']>;
}

export function checkRemoval(ids: readonly EntryId[], scene: RemovalScene): RegistryProblem[] {
  if (ids.length === 0) return [registryError('XDSRegistryError', 'ObjectRefList', 'Nothing is named.')];
  const gone = new Set(ids);
  const found = new Set<EntryId>([...scene.objects, ...scene.associations].map(({ id }) => id));
  const unknown = ids.filter((id) => !found.has(id));
  if (unknown.length > 0)
    return unknown
      .slice(0, 100)
      .map((id) => registryError('UnresolvedReferenceException', id, 'There is no such object.'));
  const problems: RegistryProblem[] = [];
  for (const one of scene.associations)
    if (!gone.has(one.id))
      for (const end of [one.source, one.target])
        if (gone.has(end))
          problems.push(registryError('ReferencesExistException', end, 'An association that stays speaks of it.'));
  for (const one of scene.associations)
    if (gone.has(one.id) && orphans(one, scene, gone))
      problems.push(
        registryError('XDSUnreferencedObjectException', one.target, 'No submission set would have it as a member.'),
      );
  return problems.slice(0, 100);
}

/** A document or folder that stays must stay a member of the submission set with which it came. */
function orphans(one: DocumentAssociation, scene: RemovalScene, gone: ReadonlySet<EntryId>): boolean {
  const kind = scene.kinds.get(one.target);
  if (one.type !== 'HasMember' || gone.has(one.target) || (kind !== 'document' && kind !== 'folder')) return false;
  const isSet = (id: EntryId): boolean => scene.kinds.get(id) === 'submission-set';
  if (!isSet(one.source)) return false;
  return !scene.associations.some(
    (other) => other.type === 'HasMember' && other.target === one.target && !gone.has(other.id) && isSet(other.source),
  );
}

/**
 * The matcher as the index uses it: features of a registration, and everything that one version of the rules decides. One
 * object for the live feed, a rematch and the batch linkage, so that none of them judges otherwise.
 */
import type { PatientView } from '../view.ts';
import { blockingKeys } from './blocking.ts';
import { cluster, type Against } from './cluster.ts';
import { compare } from './compare.ts';
import type { Clustering, Comparison, Pair, Ruling } from './comparison.ts';
import type { Features } from './features.ts';
import type { Romanise } from './person-name.ts';
import { featuresOf, featuresOfWritten, type Written } from './registration.ts';
import { DEFAULT_RULES, type MatchRules } from './rules.ts';

/** What one version of the rules makes of features. */
export interface Matcher {
  readonly version: string;
  readonly rules: MatchRules;
  keys(features: Features): readonly string[];
  compare(a: Features, b: Features): Comparison;
  /** `against` tells of pairs that were never compared or not kept. */
  cluster(
    recordIds: readonly string[],
    pairs: readonly Pair[],
    rulings: readonly Ruling[],
    against?: Against,
  ): Clustering;
}

export interface Matching {
  features(view: PatientView): Features;
  /** Of what somebody asks with, without a registration. */
  written(written: Written): Features;
  /** null: the rules that the hub comes with. */
  under(rules: MatchRules | null): Matcher;
}

export function createMatching(romanise: Romanise): Matching {
  return {
    features: (view) => featuresOf(view, romanise),
    written: (written) => featuresOfWritten(written, romanise),
    under(given) {
      const rules = given ?? DEFAULT_RULES;
      return {
        version: rules.version,
        rules,
        keys: blockingKeys,
        compare: (a, b) => compare(a, b, rules),
        cluster,
      };
    },
  };
}

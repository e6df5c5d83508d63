// The house rules a linter can hold: strict types, bounded files and functions, no names that say nothing.
import tseslint from 'typescript-eslint';

/** Lines of a function that are its own: a factory is not long because the functions it returns are many. */
const ownLines = {
  meta: { type: 'suggestion', schema: [{ type: 'integer' }] },
  create(context) {
    const limit = context.options[0];
    const open = [];
    const enter = () => open.push(0);
    const leave = (node) => {
      const inner = open.pop();
      const text = context.sourceCode
        .getText(node)
        .replace(/\/\*[^]*?\*\//g, '')
        .split('\n');
      const lines = text.filter((line) => line.trim() !== '' && !line.trim().startsWith('//')).length;
      if (open.length > 0) open[open.length - 1] += lines;
      if (lines - inner > limit)
        context.report({ node, message: `This function has ${lines - inner} lines of its own; at most ${limit}.` });
    };
    const kinds = ['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression'];
    return Object.fromEntries(
      kinds.flatMap((kind) => [
        [kind, enter],
        [`${kind}:exit`, leave],
      ]),
    );
  },
};

const BANNED_NAME = '/(Manager|Service|Helper|Helpers|Utils?)$/';

export default tseslint.config(
  { ignores: ['node_modules', 'var', 'coverage', '**/dist/**', '**/generated/**', '**/*.cjs', '.*', 'eslint.config.js'] },
  ...tseslint.configs.strictTypeChecked,
  ...tseslint.configs.stylisticTypeChecked,
  {
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { house: { rules: { 'own-lines': ownLines } } },
    linterOptions: { reportUnusedDisableDirectives: 'error' },
    rules: {
      'max-lines': ['error', { max: 400 }],
      'house/own-lines': ['error', 70],
      'no-console': 'error',
      'no-restricted-exports': ['error', { restrictDefaultExports: { direct: true, named: true, defaultFrom: true } }],
      'no-restricted-properties': [
        'error',
        { object: 'process', property: 'env', message: 'Only hub/config.ts reads the environment.' },
      ],
      'no-restricted-syntax': [
        'error',
        {
          selector: 'TSAsExpression > TSAsExpression > TSUnknownKeyword',
          message: 'A double assertion hides a wrong type.',
        },
        { selector: `ClassDeclaration[id.name=${BANNED_NAME}]`, message: 'Name the thing by what it is.' },
        { selector: `TSInterfaceDeclaration[id.name=${BANNED_NAME}]`, message: 'Name the thing by what it is.' },
        { selector: 'TSInterfaceDeclaration[id.name=/^I[A-Z][a-z]/]', message: 'No I prefix.' },
        { selector: 'TSEnumDeclaration', message: 'Use a union of literals.' },
        { selector: 'CatchClause > BlockStatement[body.length=0]:not(:has(*))', message: 'No silent catch.' },
      ],
      eqeqeq: 'error',
      '@typescript-eslint/dot-notation': 'off', // a key that came from outside is told apart by its brackets
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unused-vars': ['error', { argsIgnorePattern: '^_', varsIgnorePattern: '^_' }],
      '@typescript-eslint/restrict-template-expressions': ['error', { allowNumber: true }],
      '@typescript-eslint/no-confusing-void-expression': [
        'error',
        { ignoreArrowShorthand: true, ignoreVoidReturningFunctions: true },
      ],
      '@typescript-eslint/no-unnecessary-condition': [
        'error',
        { allowConstantLoopConditions: 'only-allowed-literals' },
      ],
      // A port's method is async because its neighbours wait for real work, not because this one does.
      '@typescript-eslint/require-await': 'off',
      '@typescript-eslint/prefer-nullish-coalescing': ['error', { ignorePrimitives: { string: true } }],
      '@typescript-eslint/no-misused-promises': [
        'error',
        { checksVoidReturn: { arguments: false, properties: false } },
      ],
    },
  },
  {
    files: ['hub/config.ts'],
    rules: { 'no-restricted-properties': 'off' },
  },
  {
    files: ['test/**/*.ts', 'openapi/generate.ts'],
    rules: {
      'no-console': 'off',
      'no-restricted-properties': 'off',
      'house/own-lines': 'off',
      '@typescript-eslint/no-non-null-assertion': 'off',
      '@typescript-eslint/no-floating-promises': [
        'error',
        {
          allowForKnownSafeCalls: [
            { from: 'package', package: 'node:test', name: ['test', 'it', 'describe', 'suite'] },
          ],
        },
      ],
    },
  },
);

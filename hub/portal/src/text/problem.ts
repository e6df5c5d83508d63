/** What the hub's refusals mean to a reader: by their code, since the hub's own text is English. */
import { dictionary } from './dictionary.ts';

export const problems = dictionary(
  {
    code: {
      malformed: '请求格式有误。',
      'too-large': '内容过大。',
      'unsupported-message': '不支持此操作。',
      'unsupported-version': '不支持此版本。',
      'unsupported-media': '不支持此格式。',
      'unknown-sender': '发送方未登记。',
      unauthenticated: '请先登录。',
      forbidden: '您当前的角色或使用目的无权进行此操作。',
      'not-found': '没有找到，或您无权查看。',
      gone: '该内容已被移除或替换。',
      'required-missing': '有必填项未填。',
      'invalid-value': '填写的内容不符合要求。',
      'unknown-code': '代码不在代码表中。',
      charset: '字符编码有误。',
      'control-id-reused': '消息编号重复使用。',
      'patient-mismatch': '患者与索引记录不一致。',
      'identity-doubt': '患者身份存疑，需人工核对。',
      'report-conflict': '该检查已有另一份报告。',
      conflict: '数据已被他人更改，请刷新后再试。',
      precondition: '数据已被他人更改，请刷新后再试。',
      'limit-exceeded': '超出允许的数量或时间。',
      busy: '系统繁忙，请稍后再试。',
      unavailable: '所需的服务暂时没有应答，请稍后再试。',
      timeout: '等待超时，请稍后再试。',
      internal: '系统出错，请稍后再试。',
      network: '网络不通，请检查连接后重试。',
    },
    /** Where the hub says more closely what stands in the way. */
    obstacle: {
      'nobody-else':
        '需要两名管理员：除您以外没有人可以批准。请先新建第二名安全管理员或一名系统管理员，由持有初始令牌的人批准该账号；该管理员登录后，请再次提交本申请。',
      'own-request': '申请人不能批准自己的申请，须由另一名管理员批准；您可以撤回（不批准）。',
      'own-account': '不能批准与本人账号有关的申请。',
      'not-approver': '须由已登录的安全管理员或系统管理员批准。',
      'asker-gone': '申请人已不是安全管理员或已被停用。请不批准本申请，由其他管理员重新提交。',
      decided: '该申请已有处理结果，或已过期。',
      changed: '申请之后账号或系统已有变动。请不批准本申请，按现状重新提交。',
      waiting: '已有一份申请在等待批准，请先处理。',
    },
    request: (id: string) => `请求编号 ${id}`,
  },
  {
    code: {
      malformed: 'The request is not well formed.',
      'too-large': 'The content is too large.',
      'unsupported-message': 'This is not supported here.',
      'unsupported-version': 'This version is not supported.',
      'unsupported-media': 'This format is not supported.',
      'unknown-sender': 'The sender is not registered.',
      unauthenticated: 'Sign in first.',
      forbidden: 'Your present role or purpose gives no right to this.',
      'not-found': 'Nothing was found, or you may not see it.',
      gone: 'This was removed or replaced.',
      'required-missing': 'A required field is empty.',
      'invalid-value': 'A field has a value that is not allowed.',
      'unknown-code': 'The code is not in its table.',
      charset: 'The character set is wrong.',
      'control-id-reused': 'The message number was used before.',
      'patient-mismatch': 'The patient disagrees with the index.',
      'identity-doubt': 'The identity is in doubt; a person must decide.',
      'report-conflict': 'Another report stands for this exam.',
      conflict: 'Somebody changed this meanwhile; reload and try again.',
      precondition: 'Somebody changed this meanwhile; reload and try again.',
      'limit-exceeded': 'A limit of number or time was exceeded.',
      busy: 'The hub is busy; try again in a moment.',
      unavailable: 'A part that is needed does not answer; try again in a moment.',
      timeout: 'There was no answer in time; try again.',
      internal: 'The hub failed; try again in a moment.',
      network: 'The hub cannot be reached; check the connection.',
    },
    obstacle: {
      'nobody-else':
        'Two administrators are needed, and nobody but you could approve this. Invite a second security administrator or a system administrator first; whoever holds the token of the first start approves that account. Once that person is in, ask again.',
      'own-request': 'Whoever asked does not approve: another administrator has to. You may withdraw it (refuse).',
      'own-account': 'Nobody approves what is about their own account.',
      'not-approver': 'A security or system administrator approves, signed in.',
      'asker-gone':
        'Who asked is no security administrator any more, or is suspended. Refuse this; another administrator may ask again.',
      decided: 'This was decided before, or its time is over.',
      changed: 'The account or client was changed since. Refuse this; it may be asked again as it is now.',
      waiting: 'A request waits for approval here already; it has to be decided first.',
    },
    request: (id: string) => `Request ${id}`,
  },
);

export type Obstacle = keyof (typeof problems)['zh']['obstacle'];
export const isObstacle = (code: string): code is Obstacle => Object.hasOwn(problems.zh.obstacle, code);

export type TroubleCode = keyof (typeof problems)['zh']['code'];
export const isTroubleCode = (code: string): code is TroubleCode => Object.hasOwn(problems.zh.code, code);

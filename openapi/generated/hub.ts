/** Generated from openapi/hub.yaml by openapi/generate.ts: change that file, then `npm run generate`. */
export interface paths {
  readonly '/sites/{site}/registrations': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 患者登记 · register a patient or change a registration */
    readonly post: operations['sendRegistration'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sites/{site}/orders': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 检查申请 · place, schedule, change or cancel an order */
    readonly post: operations['sendOrder'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sites/{site}/exams': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 检查信息 · an exam was made; where its images are */
    readonly post: operations['sendExam'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sites/{site}/exams/void': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 检查作废 · void an exam (in the body, since an exam number is no part of a URL) */
    readonly post: operations['voidExam'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sites/{site}/reports': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 检查报告 · send a report, or its correction */
    readonly post: operations['sendReport'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sites/{site}/reports/withdraw': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 报告撤回 · withdraw the report of an exam */
    readonly post: operations['withdrawReport'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sites': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Hospitals the hub knows */
    readonly get: operations['listSites'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Messages and what became of them, newest first */
    readonly get: operations['listJournal'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal/counters': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** received = applied + refused + review + pending, counted in one snapshot */
    readonly get: operations['countJournal'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One message's fate, with its findings; never its content */
    readonly get: operations['readJournalEntry'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal/{id}/raw': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The bytes as they came, base64; an administrator's or the interface engineer's of that site, and audited */
    readonly get: operations['readJournalBytes'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal/{id}/retry': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Map and apply again what was refused or waits in review */
    readonly post: operations['retryJournalEntry'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/reviews': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** What waits for a person's decision */
    readonly get: operations['listReviews'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/reviews/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One review with its reason and the way to retry it */
    readonly get: operations['readReview'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/reviews/{id}/retry': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Try again what waits, after its cause was mended */
    readonly post: operations['retryReview'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/reviews/{id}/dismiss': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Close it for good, with the reason */
    readonly post: operations['dismissReview'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/reviews/{id}/sides': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 疑似重复比对 · both registrations of a doubt side by side, with what each attribute says; masked for who may not read records */
    readonly get: operations['readReviewSides'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/reviews/{id}/decide': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** The two are one person, or are not; where valid resident IDs conflict, two people must say the same */
    readonly post: operations['decideReview'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/review-forecast': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** How many doubts would wait if the threshold of review were another */
    readonly get: operations['forecastReviews'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 主索引 · a person, by any id it ever had, with its registrations, why they are one, and what was decided */
    readonly get: operations['readPerson'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/merge': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 合并 · two persons are one; the older id stays, the other one answers with it */
    readonly post: operations['mergePersons'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/split': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 拆分 · these registrations are another person than the rest, whatever arrives later */
    readonly post: operations['splitPerson'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/undo': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 撤销 · take a decision about this person back; what it overruled counts again */
    readonly post: operations['undoDecision'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/match-rules': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The rules in force, and where comparing was cut off */
    readonly get: operations['readMatchRules'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/rematch': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The latest rematch, how far it is, and what it would change */
    readonly get: operations['readRematch'];
    readonly put?: never;
    /** Compare everything under other rules, in the background; nothing changes until it is activated */
    readonly post: operations['startRematch'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/rematch/{id}/activate': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Put its rules in force; persons follow in the background */
    readonly post: operations['activateRematch'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/rematch/{id}/cancel': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Drop it and what it compared */
    readonly post: operations['cancelRematch'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/orphans': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Exams that lack an order, a report or their images, oldest first */
    readonly get: operations['listOrphans'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exams/search': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 检查查询 · exams of the person with an identifier, at every hospital, newest first */
    readonly post: operations['searchExams'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exams/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 检查调阅 · one exam with its orders, studies and current report */
    readonly get: operations['readExam'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/session': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 我是谁 · who is signed in, at what step, and how long yet; asking alone does not lengthen the session */
    readonly get: operations['readSession'];
    readonly put?: never;
    /** 登录 · sign in by login name and password; `stage` says what is still to be shown */
    readonly post: operations['signIn'];
    /** 退出 · sign out; where the hospital's provider has to know, `signOutUrl` is where the browser goes next */
    readonly delete: operations['endSession'];
    readonly options?: never;
    readonly head?: never;
    /** 选择角色和目的 · choose a role that the account holds, a purpose of the role, a language */
    readonly patch: operations['changeSession'];
    readonly trace?: never;
  };
  readonly '/session/activation': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 激活账号 · use the one-time code of an invitation or reset, and choose a password */
    readonly post: operations['activateAccount'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/session/enrolment': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 绑定动态口令 · a new secret for an authenticator; a code of it, sent to /session/totp, confirms it */
    readonly post: operations['enrolSecondFactor'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/session/totp': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 动态口令 · a code of the authenticator; or a recovery code, after which another device is enrolled */
    readonly post: operations['enterCode'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/session/password': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 修改密码 · change the own password */
    readonly post: operations['changePassword'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/identity-providers': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 医院登录入口 · hospitals by whose accounts one may sign in */
    readonly get: operations['listIdentityProviders'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/accounts': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 账号 · accounts of people, newest first */
    readonly get: operations['listAccounts'];
    readonly put?: never;
    /**
     * 新建账号 · invite a person; the one-time activation code is in the answer and nowhere afterwards
     * @description Asked for by a security administrator it is pending: the answer has the first half of the code, and a second
     *     administrator approves it and gets the other half (`/approvals`). Both halves together activate the account.
     */
    readonly post: operations['createAccount'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/accounts/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One account */
    readonly get: operations['readAccount'];
    readonly put?: never;
    readonly post?: never;
    /** 注销账号 · end an account for good; its login name is never given again */
    readonly delete: operations['endAccount'];
    readonly options?: never;
    readonly head?: never;
    /**
     * 修改账号 · words, roles or state; sessions that lose their right end at once
     * @description A role more, and another institution or staff number of a reader, wait for a second administrator (202); ask for
     *     them by themselves. Everything else, and whatever takes a right away, holds at once.
     */
    readonly patch: operations['changeAccount'];
    readonly trace?: never;
  };
  readonly '/accounts/{id}/reset': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /**
     * 重置凭据 · take password and second factor away; the answer has a new activation code (none of a hospital's account)
     * @description Asked for by a security administrator it waits for a second one, and until then nothing is taken away; each has
     *     half of the new code. A pending account whose request was refused or lapsed is asked for again by it.
     */
    readonly post: operations['resetAccount'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/accounts/{id}/sign-out': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 结束会话 · end every session of an account at once; it may sign in again */
    readonly post: operations['endSessions'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exams/{id}/revisions': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 报告修订 · every version of the report that ever stood or arrived, newest first, each with what it changed */
    readonly get: operations['listReportRevisions'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exams/{id}/provenance': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 数据来历 · how this exam came here, hop by hop, oldest first */
    readonly get: operations['readExamProvenance'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exams/{id}/priors': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 对比检查 · other exams of the person to compare with, the most alike first */
    readonly get: operations['listPriors'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/search': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /**
     * 患者检索 · persons by resident ID, by any hospital's number, by phone, or by name and birth date
     * @description One of the four ways. What names a person stands in the body, never in a URL. Persons of whose records the caller
     *     may see nothing are left out, unless they were asked for by an exact number: then they are named with `access`
     *     `closed`, masked, and nothing of their exams is told.
     */
    readonly post: operations['searchPersons'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/timeline': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 检查时间线 · every exam of the person at every hospital, newest first */
    readonly get: operations['readTimeline'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/approvals': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 双人审批 · what one administrator asked for and another has to approve, newest first */
    readonly get: operations['listApprovals'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/approvals/{id}/decision': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /**
     * 批准或不批准 · the second person's word, once; the second half of the secret is in the answer and nowhere afterwards
     * @description A security or system administrator, signed in, who is neither the asker nor the holder of the account. As long as
     *     there is no other administrator, a token with a system administrator's rights may approve an account that has
     *     administrators' roles only. Who asked may refuse, which withdraws it. Problems carry in `errors[0].code` why:
     *     nobody-else, own-request, own-account, not-approver, asker-gone, decided, changed, waiting.
     */
    readonly post: operations['decideApproval'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/clients': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** API clients, newest first; never their tokens */
    readonly get: operations['listClients'];
    readonly put?: never;
    /**
     * Make a client; its token is in the answer and nowhere afterwards
     * @description One that reads records (query-platform, administrator) is pending where a security administrator asks for it: a
     *     second administrator approves it (`/approvals`). Its token is `<first half>.<second half>`, one for each of the
     *     two; a client with `jwks` or `certificate` needs no token, only the approval.
     */
    readonly post: operations['createClient'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/clients/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    readonly post?: never;
    /** Revoke a client; its token ends with its next call */
    readonly delete: operations['revokeClient'];
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/clients/{id}/consent-right': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    /** Whether a hospital's system may record consents and draw codes for that hospital's patients */
    readonly put: operations['letClientRecordConsents'];
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/audit': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Who did what to whose data, newest first */
    readonly get: operations['listAudit'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/institutions': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 医疗机构 · institutions of the hub and their standing, by code */
    readonly get: operations['listInstitutions'];
    readonly put?: never;
    /** 机构入驻申请 · apply for an institution; somebody else approves it */
    readonly post: operations['applyInstitution'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/institutions/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One institution with every step of its life */
    readonly get: operations['readInstitution'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/institutions/{id}/steps': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 审核、暂停、退出 · approve, refuse, suspend, resume, or let it leave */
    readonly post: operations['stepInstitution'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/consortia': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 医联体 · consortia of institutions */
    readonly get: operations['listConsortia'];
    readonly put?: never;
    /** Found a consortium */
    readonly post: operations['createConsortium'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/consortia/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    /** Change its members or its time; a consortium ends by its `until` */
    readonly put: operations['updateConsortium'];
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/practitioners': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 医师 · doctors, last applied first; who is bound to a hospital sees its own */
    readonly get: operations['listPractitioners'];
    readonly put?: never;
    /** 医师注册 · apply for a doctor at an institution; somebody else approves */
    readonly post: operations['applyPractitioner'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/practitioners/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One doctor with every step of the registration */
    readonly get: operations['readPractitioner'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/practitioners/{id}/steps': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 审核、暂停、离职 · approve, refuse, suspend, resume, or let the doctor leave; the last two end sessions at once */
    readonly post: operations['stepPractitioner'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/consents': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 授权登记 · record what a patient agrees to or refuses, as given at the desk or by app */
    readonly post: operations['recordConsent'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/consents/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One consent as it stands (in FHIR with its history `/fhir/Consent/{id}`) */
    readonly get: operations['readConsent'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/consents/{id}/withdraw': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 撤回 · withdraw it; the next request of anybody is decided without it */
    readonly post: operations['withdrawConsent'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/consents': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Consents of a person, under every id that the person had; last changed first */
    readonly get: operations['listConsents'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/notices': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 患者告知 · what the patient is told, newest first, for the patient's own system */
    readonly get: operations['listPatientNotices'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/present-codes': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 就诊授权码 · a code that the patient shows to the doctor; it is told once, good once, and for minutes */
    readonly post: operations['issuePresentCode'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/present-codes/redeem': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 扫码授权 · the doctor enters or scans the code; it becomes a consent for the doctor's institution */
    readonly post: operations['redeemPresentCode'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/break-glass': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 紧急调阅复核 · emergencies to be reviewed, due soonest first */
    readonly get: operations['listBreakGlass'];
    readonly put?: never;
    /** 紧急调阅 · access to one person's records in an emergency, at once; it is reviewed and the patient is told */
    readonly post: operations['breakGlass'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/break-glass/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** One emergency; what was read under it is in the audit (callerId, personId, from, to) */
    readonly get: operations['readBreakGlass'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/break-glass/{id}/end': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** The doctor ends the own grant before its time */
    readonly post: operations['endBreakGlass'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/break-glass/{id}/review': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 复核 · justified or not; unjustified flags the account and ends the grant */
    readonly post: operations['reviewBreakGlass'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/my-break-glass': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** The doctor's own emergencies and what became of them */
    readonly get: operations['listOwnBreakGlass'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/access-reasons': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 调阅理由 · why accounts under a flag read, newest first */
    readonly get: operations['listAccessReasons'];
    readonly put?: never;
    /** 说明调阅理由 · an account under a flag says why, before it reads; good for this patient for 12 hours */
    readonly post: operations['giveAccessReason'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/account-flags': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 账号标记 · accounts whose emergency was none or whose access was odd, newest first; of no patient */
    readonly get: operations['listAccountFlags'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/account-flags/{id}/close': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** What the security administration did about it; nobody closes their own */
    readonly post: operations['closeAccountFlag'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/my-flags': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 本人的访问说明 · flags of one's own account, newest first */
    readonly get: operations['listOwnFlags'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/my-flags/{id}/explain': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Why it was done; once */
    readonly post: operations['explainFlag'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/worklist': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 待办 · how much waits for the caller; null where it is not theirs to know */
    readonly get: operations['readWorklist'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sensitivity-rules': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 敏感规则 · rules by which exams are sensitive, newest first, and how far older exams are labelled */
    readonly get: operations['listSensitivityRules'];
    readonly put?: never;
    /** New exams are labelled at once, older ones in the background */
    readonly post: operations['addSensitivityRule'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/sensitivity-rules/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    readonly post?: never;
    /** Takes a rule away, and the labels that it alone gave */
    readonly delete: operations['removeSensitivityRule'];
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/exams/{id}/labels': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 检查的敏感标记 · labels of one exam, and where each came from */
    readonly get: operations['readExamLabels'];
    /** The labels by hand become these; those by rule stay */
    readonly put: operations['setExamLabels'];
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/operations/channels': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 通道状态 · who listens, and how each site's channels go now; the same from whichever process answers */
    readonly get: operations['readChannels'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/operations/intake': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 接入量 · messages and images over time, latency, and what failed why */
    readonly get: operations['readIntake'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/operations/completeness': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 完整率 · which exams lack a part, by hospital and modality, and where images are; of exams first known in the range */
    readonly get: operations['readCompleteness'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal/{id}/decoded': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 消息解析 · the message field by field, masked, with what was found where */
    readonly get: operations['readJournalDecoded'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/journal/{id}/unmask': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 取消脱敏 · the same with all that stands in it, for a reason; whoever may see the bytes, and audited */
    readonly post: operations['unmaskJournalEntry'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/replays/preview': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 试运行 · what applying messages anew would change against what stands, under the mappings in force or with one more or one less */
    readonly post: operations['previewReplay'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/replays': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Retries and replays of many, newest first, with their progress */
    readonly get: operations['listReplays'];
    readonly put?: never;
    /** 重放 · retry what is in review, or apply anew what stands; which entries is fixed now, at most 20000 */
    readonly post: operations['startReplay'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/replays/{id}': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** How far it is */
    readonly get: operations['readReplay'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/replays/{id}/cancel': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** Put no more of it back to work */
    readonly post: operations['cancelReplay'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/codes/unmapped': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 未对照代码 · codes that messages carried and no table maps, last seen first; no patient data */
    readonly get: operations['listUnmappedCodes'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/codes/targets': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** 代码检索 · codes of the province in a table, by part of code or name */
    readonly get: operations['searchCodes'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/codes/mappings': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Mappings made at the desk, newest first, those undone included */
    readonly get: operations['listMappings'];
    readonly put?: never;
    /** 代码对照 · map a code of a site; counts for every message that is applied from now on, and says how many stand that met it */
    readonly post: operations['addMapping'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/codes/mappings/{id}/undo': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 撤销对照 · messages from now on are read without it */
    readonly post: operations['undoMapping'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/viewer-launches': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /**
     * 打开影像 · a one-time link that opens the viewer at an exam, good for a minute
     * @description Send the browser to `url` at once: it opens once. A signed-in user's link opens in the same account's session
     *     only. A system's link opens a session of its own, for half an hour, that sees this person alone; `user` names
     *     the physician for whom the system asks, who may then save measurements and key images.
     */
    readonly post: operations['launchViewer'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/audit/verify': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Whether the audit was found as it was written, when, and what was not (audit.md) */
    readonly get: operations['showAuditProof'];
    readonly put?: never;
    /** 立即校验 · proves all that is kept, beside everything; once a minute at most */
    readonly post: operations['proveAudit'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/audit/anchors': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Signed statements over the audit in their order, 100 at a time, for a copy of one's own */
    readonly get: operations['listAuditAnchors'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/audit/flags': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /** Odd access, newest first */
    readonly get: operations['listAuditFlags'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/audit/flags/{id}/take': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** 受理 · one auditor looks into it */
    readonly post: operations['takeAuditFlag'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/audit/flags/{id}/close': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly get?: never;
    readonly put?: never;
    /** What the auditor found */
    readonly post: operations['closeAuditFlag'];
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
  readonly '/persons/{id}/accesses': {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    /**
     * Who looked at this patient's records, for the patient, newest first; follows joined persons
     * @description A page may hold fewer than its limit, or none, and still have a next one.
     */
    readonly get: operations['listAccesses'];
    readonly put?: never;
    readonly post?: never;
    readonly delete?: never;
    readonly options?: never;
    readonly head?: never;
    readonly patch?: never;
    readonly trace?: never;
  };
}
export type webhooks = Record<string, never>;
export interface components {
  schemas: {
    /** @description A name as others read it, without control signs and without those that turn the direction of writing */
    readonly ShownName: string;
    /** 患者登记 */
    readonly Registration: {
      /**
       * 患者编号
       * @description The hospital's own number of the patient (病历号)
       */
      readonly patientId: string | number;
      /**
       * 患者姓名
       * @description Name; missing or 无名氏 is accepted with a finding
       */
      readonly name?: string | number | boolean | null;
      /**
       * 姓名拼音
       * @description Name in pinyin
       */
      readonly namePinyin?: string | number | boolean | null;
      /**
       * 性别
       * @description Sex in the hospital's code, GB/T 2261.1 or a word
       */
      readonly sex?: string | number | boolean | null;
      /**
       * 出生日期
       * @description Date of birth, as precise as known
       */
      readonly birthDate?: string | number | boolean | null;
      /**
       * 年龄
       * @description Age as told; it never stands for a birth date
       */
      readonly age?: string | number | boolean | null;
      /**
       * 证件类型
       * @description CV02.01.101 (01 居民身份证) or the hospital's own; absent: 01
       */
      readonly idType?: string | number | boolean | null;
      /**
       * 证件号码
       * @description Number of that document; a resident ID is verified by its check digit
       */
      readonly idNumber?: string | number | boolean | null;
      /**
       * 手机号码
       * @description Telephone
       */
      readonly phone?: string | number | boolean | null;
      /**
       * 医保号
       * @description Health insurance number
       */
      readonly insuranceNumber?: string | number | boolean | null;
      /**
       * 住址
       * @description Address as one text
       */
      readonly address?: string | number | boolean | null;
      /**
       * 行政区划
       * @description GB/T 2260 code
       */
      readonly division?: string | number | boolean | null;
      /**
       * 邮政编码
       * @description Postal code
       */
      readonly postalCode?: string | number | boolean | null;
      /**
       * 婚姻状况
       * @description GB/T 2261.2 or own code
       */
      readonly maritalStatus?: string | number | boolean | null;
      /**
       * 民族
       * @description GB/T 3304 or own code
       */
      readonly ethnicGroup?: string | number | boolean | null;
      /**
       * 国籍
       * @description GB/T 2659 or own code
       */
      readonly nationality?: string | number | boolean | null;
      /**
       * 死亡标志
       * @description true or false, 1 or 0, 是 or 否
       */
      readonly deceased?: string | number | boolean | null;
      /**
       * 母亲患者编号
       * @description For a newborn: the mother's patientId
       */
      readonly motherPatientId?: string | number | boolean | null;
      /**
       * 被合并患者编号
       * @description Another patientId of the same person that ends in favour of this one (合并)
       */
      readonly priorPatientId?: string | number | boolean | null;
      /**
       * 主诉
       * @description Kept with the message
       */
      readonly chiefComplaint?: string | number | boolean | null;
      /**
       * 医院编号
       * @description If given it must name this site: its id, institution code or USCC
       */
      readonly hospitalCode?: string | number | boolean | null;
      /**
       * 业务时间
       * @description When this became true at the source; absent: when it arrived
       */
      readonly eventTime?: string | number | boolean | null;
    };
    /** 检查申请 */
    readonly Order:
      | {
          /**
           * 患者编号
           * @description The hospital's own number of the patient (病历号)
           */
          readonly patientId: string | number;
          /**
           * 检查号
           * @description Accession number
           */
          readonly accessionNumber?: string | number | boolean | null;
          /**
           * 申请单号
           * @description Number of the request at the placer (电子申请单号)
           */
          readonly orderNumber?: string | number | boolean | null;
          /**
           * 检查唯一标识
           * @description Number of the exam at the filler (RIS)
           */
          readonly fillerNumber?: string | number | boolean | null;
          /**
           * 检查UID
           * @description DICOM Study Instance UID
           */
          readonly studyInstanceUid?: string | number | boolean | null;
          /**
           * 检查主索引
           * @description Provincial exam index issued outside
           */
          readonly provincialIndex?: string | number | boolean | null;
          /**
           * 患者姓名
           * @description Name; missing or 无名氏 is accepted with a finding
           */
          readonly name?: string | number | boolean | null;
          /**
           * 姓名拼音
           * @description Name in pinyin
           */
          readonly namePinyin?: string | number | boolean | null;
          /**
           * 性别
           * @description Sex in the hospital's code, GB/T 2261.1 or a word
           */
          readonly sex?: string | number | boolean | null;
          /**
           * 出生日期
           * @description Date of birth, as precise as known
           */
          readonly birthDate?: string | number | boolean | null;
          /**
           * 年龄
           * @description Age as told; it never stands for a birth date
           */
          readonly age?: string | number | boolean | null;
          /**
           * 证件类型
           * @description CV02.01.101 (01 居民身份证) or the hospital's own; absent: 01
           */
          readonly idType?: string | number | boolean | null;
          /**
           * 证件号码
           * @description Number of that document; a resident ID is verified by its check digit
           */
          readonly idNumber?: string | number | boolean | null;
          /**
           * 手机号码
           * @description Telephone
           */
          readonly phone?: string | number | boolean | null;
          /**
           * 申请状态
           * @description ordered, scheduled, arrived, in-progress, completed, discontinued, cancelled or own code; absent: ordered
           */
          readonly status?: string | number | boolean | null;
          /**
           * 检查项目代码
           * @description Item in the hospital's code
           */
          readonly procedureCode?: string | number | boolean | null;
          /**
           * 检查项目名称
           * @description Item as named
           */
          readonly procedureName?: string | number | boolean | null;
          /**
           * 检查类型
           * @description DICOM modality or the hospital's code
           */
          readonly modality?: string | number | boolean | null;
          /**
           * 检查部位
           * @description Body part, the hospital's code or word
           */
          readonly bodyPart?: string | number | boolean | null;
          /**
           * 检查方法
           * @description Kept with the message
           */
          readonly method?: string | number | boolean | null;
          /**
           * 紧急程度
           * @description routine, urgent, stat or own code
           */
          readonly priority?: string | number | boolean | null;
          /**
           * 申请目的
           * @description Why the exam is asked for
           */
          readonly reason?: string | number | boolean | null;
          /**
           * 诊断
           * @description Clinical diagnosis as text
           */
          readonly diagnosis?: string | number | boolean | null;
          /**
           * 诊断代码
           * @description ICD-10 code
           */
          readonly diagnosisCode?: string | number | boolean | null;
          /**
           * 申请医生
           * @description Requesting doctor
           */
          readonly requester?: string | number | boolean | null;
          /**
           * 送检科室
           * @description Requesting department, code or name
           */
          readonly requestingDepartment?: string | number | boolean | null;
          /**
           * 检查技师
           * @description Technician
           */
          readonly performer?: string | number | boolean | null;
          /**
           * 患者类型
           * @description CV09.00.404 or own code
           */
          readonly patientClass?: string | number | boolean | null;
          /**
           * 就诊号
           * @description Out- or in-patient number
           */
          readonly visitNumber?: string | number | boolean | null;
          /**
           * 检查设备
           * @description Device or station
           */
          readonly device?: string | number | boolean | null;
          /** 申请时间 */
          readonly requestedAt?: string | number | boolean | null;
          /** 预约时间 */
          readonly scheduledAt?: string | number | boolean | null;
          /** 检查时间 */
          readonly startedAt?: string | number | boolean | null;
          /**
           * 检查请求号
           * @description (0040,1001)
           */
          readonly requestedProcedureId?: string | number | boolean | null;
          /**
           * 预约步骤号
           * @description (0040,0009)
           */
          readonly scheduledStepId?: string | number | boolean | null;
          /**
           * 医院编号
           * @description If given it must name this site: its id, institution code or USCC
           */
          readonly hospitalCode?: string | number | boolean | null;
          /**
           * 业务时间
           * @description When this became true at the source; absent: when it arrived
           */
          readonly eventTime?: string | number | boolean | null;
        }
      | unknown
      | unknown
      | unknown;
    /** 检查信息 (RIS) */
    readonly Exam:
      | {
          /**
           * 患者编号
           * @description The hospital's own number of the patient (病历号)
           */
          readonly patientId: string | number;
          /**
           * 检查号
           * @description Accession number
           */
          readonly accessionNumber?: string | number | boolean | null;
          /**
           * 申请单号
           * @description Number of the request at the placer (电子申请单号)
           */
          readonly orderNumber?: string | number | boolean | null;
          /**
           * 检查唯一标识
           * @description Number of the exam at the filler (RIS)
           */
          readonly fillerNumber?: string | number | boolean | null;
          /**
           * 检查UID
           * @description DICOM Study Instance UID
           */
          readonly studyInstanceUid?: string | number | boolean | null;
          /**
           * 检查主索引
           * @description Provincial exam index issued outside
           */
          readonly provincialIndex?: string | number | boolean | null;
          /**
           * 患者姓名
           * @description Name; missing or 无名氏 is accepted with a finding
           */
          readonly name?: string | number | boolean | null;
          /**
           * 姓名拼音
           * @description Name in pinyin
           */
          readonly namePinyin?: string | number | boolean | null;
          /**
           * 性别
           * @description Sex in the hospital's code, GB/T 2261.1 or a word
           */
          readonly sex?: string | number | boolean | null;
          /**
           * 出生日期
           * @description Date of birth, as precise as known
           */
          readonly birthDate?: string | number | boolean | null;
          /**
           * 年龄
           * @description Age as told; it never stands for a birth date
           */
          readonly age?: string | number | boolean | null;
          /**
           * 证件类型
           * @description CV02.01.101 (01 居民身份证) or the hospital's own; absent: 01
           */
          readonly idType?: string | number | boolean | null;
          /**
           * 证件号码
           * @description Number of that document; a resident ID is verified by its check digit
           */
          readonly idNumber?: string | number | boolean | null;
          /**
           * 手机号码
           * @description Telephone
           */
          readonly phone?: string | number | boolean | null;
          /**
           * 检查项目代码
           * @description Item in the hospital's code
           */
          readonly procedureCode?: string | number | boolean | null;
          /**
           * 检查项目名称
           * @description Item as named
           */
          readonly procedureName?: string | number | boolean | null;
          /**
           * 检查类型
           * @description DICOM modality or the hospital's code
           */
          readonly modality?: string | number | boolean | null;
          /**
           * 检查部位
           * @description Body part, the hospital's code or word
           */
          readonly bodyPart?: string | number | boolean | null;
          /**
           * 检查方法
           * @description Kept with the message
           */
          readonly method?: string | number | boolean | null;
          /**
           * 紧急程度
           * @description routine, urgent, stat or own code
           */
          readonly priority?: string | number | boolean | null;
          /**
           * 申请目的
           * @description Why the exam is asked for
           */
          readonly reason?: string | number | boolean | null;
          /**
           * 诊断
           * @description Clinical diagnosis as text
           */
          readonly diagnosis?: string | number | boolean | null;
          /**
           * 诊断代码
           * @description ICD-10 code
           */
          readonly diagnosisCode?: string | number | boolean | null;
          /**
           * 申请医生
           * @description Requesting doctor
           */
          readonly requester?: string | number | boolean | null;
          /**
           * 送检科室
           * @description Requesting department, code or name
           */
          readonly requestingDepartment?: string | number | boolean | null;
          /**
           * 检查技师
           * @description Technician
           */
          readonly performer?: string | number | boolean | null;
          /**
           * 患者类型
           * @description CV09.00.404 or own code
           */
          readonly patientClass?: string | number | boolean | null;
          /**
           * 就诊号
           * @description Out- or in-patient number
           */
          readonly visitNumber?: string | number | boolean | null;
          /**
           * 检查设备
           * @description Device or station
           */
          readonly device?: string | number | boolean | null;
          /** 检查描述 */
          readonly description?: string | number | boolean | null;
          /**
           * 检查时间
           * @description When the images were made
           */
          readonly startedAt?: string | number | boolean | null;
          /**
           * 序列数
           * @description Declared number of series
           */
          readonly seriesCount?: string | number | boolean | null;
          /**
           * 图像数
           * @description Declared number of images: the study is complete when all came
           */
          readonly instanceCount?: string | number | boolean | null;
          /**
           * 影像访问地址
           * @description Where the hospital serves the images
           */
          readonly accessUrl?: string | number | boolean | null;
          /**
           * 作废标志
           * @description true or 1: the exam is void
           */
          readonly voided?: string | number | boolean | null;
          /**
           * 医院编号
           * @description If given it must name this site: its id, institution code or USCC
           */
          readonly hospitalCode?: string | number | boolean | null;
          /**
           * 业务时间
           * @description When this became true at the source; absent: when it arrived
           */
          readonly eventTime?: string | number | boolean | null;
        }
      | unknown
      | unknown
      | unknown
      | unknown
      | unknown;
    /** 检查作废 */
    readonly ExamVoid:
      | {
          /**
           * 患者编号
           * @description The hospital's own number of the patient (病历号)
           */
          readonly patientId: string | number;
          /**
           * 检查号
           * @description Accession number
           */
          readonly accessionNumber?: string | number | boolean | null;
          /**
           * 申请单号
           * @description Number of the request at the placer (电子申请单号)
           */
          readonly orderNumber?: string | number | boolean | null;
          /**
           * 检查唯一标识
           * @description Number of the exam at the filler (RIS)
           */
          readonly fillerNumber?: string | number | boolean | null;
          /**
           * 检查UID
           * @description DICOM Study Instance UID
           */
          readonly studyInstanceUid?: string | number | boolean | null;
          /**
           * 检查主索引
           * @description Provincial exam index issued outside
           */
          readonly provincialIndex?: string | number | boolean | null;
          /**
           * 作废原因
           * @description Kept with the message
           */
          readonly reason?: string | number | boolean | null;
          /**
           * 医院编号
           * @description If given it must name this site: its id, institution code or USCC
           */
          readonly hospitalCode?: string | number | boolean | null;
          /**
           * 业务时间
           * @description When this became true at the source; absent: when it arrived
           */
          readonly eventTime?: string | number | boolean | null;
        }
      | unknown
      | unknown
      | unknown
      | unknown
      | unknown;
    /** 检查报告 */
    readonly Report:
      | {
          /**
           * 患者编号
           * @description The hospital's own number of the patient (病历号)
           */
          readonly patientId: string | number;
          /**
           * 检查号
           * @description Accession number
           */
          readonly accessionNumber?: string | number | boolean | null;
          /**
           * 申请单号
           * @description Number of the request at the placer (电子申请单号)
           */
          readonly orderNumber?: string | number | boolean | null;
          /**
           * 检查唯一标识
           * @description Number of the exam at the filler (RIS)
           */
          readonly fillerNumber?: string | number | boolean | null;
          /**
           * 检查UID
           * @description DICOM Study Instance UID
           */
          readonly studyInstanceUid?: string | number | boolean | null;
          /**
           * 检查主索引
           * @description Provincial exam index issued outside
           */
          readonly provincialIndex?: string | number | boolean | null;
          /**
           * 患者姓名
           * @description Name; missing or 无名氏 is accepted with a finding
           */
          readonly name?: string | number | boolean | null;
          /**
           * 姓名拼音
           * @description Name in pinyin
           */
          readonly namePinyin?: string | number | boolean | null;
          /**
           * 性别
           * @description Sex in the hospital's code, GB/T 2261.1 or a word
           */
          readonly sex?: string | number | boolean | null;
          /**
           * 出生日期
           * @description Date of birth, as precise as known
           */
          readonly birthDate?: string | number | boolean | null;
          /**
           * 年龄
           * @description Age as told; it never stands for a birth date
           */
          readonly age?: string | number | boolean | null;
          /**
           * 证件类型
           * @description CV02.01.101 (01 居民身份证) or the hospital's own; absent: 01
           */
          readonly idType?: string | number | boolean | null;
          /**
           * 证件号码
           * @description Number of that document; a resident ID is verified by its check digit
           */
          readonly idNumber?: string | number | boolean | null;
          /**
           * 手机号码
           * @description Telephone
           */
          readonly phone?: string | number | boolean | null;
          /**
           * 报告单号
           * @description The report's own number; absent: one report per exam
           */
          readonly reportNumber?: string | number | boolean | null;
          /**
           * 替换报告单号
           * @description Number of the report that this one replaces
           */
          readonly replaces?: string | number | boolean | null;
          /**
           * 报告状态
           * @description P, F, C, X, 1 临时, 2 最终 or own code; absent: final where it was audited, else preliminary
           */
          readonly status?: string | number | boolean | null;
          /** 报告名称 */
          readonly title?: string | number | boolean | null;
          /**
           * 影像所见
           * @description 客观所见
           */
          readonly findings?: string | number | boolean | null;
          /**
           * 影像所得
           * @description 诊断意见 (主观提示)
           */
          readonly impression?: string | number | boolean | null;
          /** 检查建议 */
          readonly suggestion?: string | number | boolean | null;
          /**
           * 是否阳性
           * @description true or false, 1 or 0, 阳性 or 阴性
           */
          readonly positive?: string | number | boolean | null;
          /**
           * 危急值
           * @description true or false, 1 or 0
           */
          readonly critical?: string | number | boolean | null;
          /**
           * 结论代码
           * @description Code of the conclusion
           */
          readonly conclusionCode?: string | number | boolean | null;
          /** 报告医生 */
          readonly reporter?: string | number | boolean | null;
          /** 审核医生 */
          readonly auditor?: string | number | boolean | null;
          /** 报告时间 */
          readonly reportedAt?: string | number | boolean | null;
          /** 审核时间 */
          readonly auditedAt?: string | number | boolean | null;
          /** 检查类型 */
          readonly modality?: string | number | boolean | null;
          /**
           * 报告文件
           * @description A rendered report, kept byte for byte
           */
          readonly document?: {
            /** @enum {string} */
            readonly contentType: 'application/pdf' | 'text/xml' | 'application/xml' | 'image/jpeg' | 'image/png';
            readonly data: string;
          } | null;
          /**
           * 医院编号
           * @description If given it must name this site: its id, institution code or USCC
           */
          readonly hospitalCode?: string | number | boolean | null;
          /**
           * 业务时间
           * @description When this became true at the source; absent: when it arrived
           */
          readonly eventTime?: string | number | boolean | null;
        }
      | unknown
      | unknown
      | unknown
      | unknown
      | unknown;
    /** 报告撤回 */
    readonly ReportWithdrawal:
      | {
          /**
           * 患者编号
           * @description The hospital's own number of the patient (病历号)
           */
          readonly patientId: string | number;
          /**
           * 检查号
           * @description Accession number
           */
          readonly accessionNumber?: string | number | boolean | null;
          /**
           * 申请单号
           * @description Number of the request at the placer (电子申请单号)
           */
          readonly orderNumber?: string | number | boolean | null;
          /**
           * 检查唯一标识
           * @description Number of the exam at the filler (RIS)
           */
          readonly fillerNumber?: string | number | boolean | null;
          /**
           * 检查UID
           * @description DICOM Study Instance UID
           */
          readonly studyInstanceUid?: string | number | boolean | null;
          /**
           * 检查主索引
           * @description Provincial exam index issued outside
           */
          readonly provincialIndex?: string | number | boolean | null;
          /** 报告单号 */
          readonly reportNumber?: string | number | boolean | null;
          /**
           * 撤回原因
           * @description Kept with the message
           */
          readonly reason?: string | number | boolean | null;
          /**
           * 医院编号
           * @description If given it must name this site: its id, institution code or USCC
           */
          readonly hospitalCode?: string | number | boolean | null;
          /**
           * 业务时间
           * @description When this became true at the source; absent: when it arrived
           */
          readonly eventTime?: string | number | boolean | null;
        }
      | unknown
      | unknown
      | unknown
      | unknown
      | unknown;
    readonly Accepted: {
      readonly journalId: string;
      /** @description true: it had arrived before, with the same bytes */
      readonly duplicate: boolean;
      /** @description Path of the journal entry */
      readonly status: string;
    };
    /** @description The outcome of one line, or the summary */
    readonly BatchLine: {
      readonly line?: number;
      readonly status?: number;
      readonly journalId?: string;
      readonly duplicate?: boolean;
      readonly problem?: components['schemas']['Problem'];
      readonly summary?: {
        readonly lines: number;
        readonly accepted: number;
        readonly duplicates: number;
        readonly refused: number;
      };
    };
    readonly Problem: {
      readonly type: string;
      readonly title: string;
      readonly status: number;
      readonly detail: string;
      readonly code: string;
      readonly where?: string;
      /** @description Where the refused message is kept */
      readonly journalId?: string;
      readonly errors?: readonly {
        readonly pointer: string;
        readonly code: string;
        readonly text: string;
      }[];
    };
    readonly Finding: {
      readonly code: string;
      readonly where: string;
      readonly text: string;
      /** @description The code that no table maps */
      readonly unmapped?: {
        readonly table: string;
        readonly code: string;
        readonly display?: string;
      };
    };
    readonly Cause: {
      readonly code: string;
      readonly text: string;
      readonly where?: string;
    };
    /** @description `after` of the next page; null: there is none */
    readonly Next: string | null;
    /**
     * @description patient: by the identity provider for citizens alone, never given by hand
     * @enum {string}
     */
    readonly PersonRole:
      | 'physician'
      | 'interface-engineer'
      | 'operator'
      | 'system-administrator'
      | 'security-administrator'
      | 'auditor'
      | 'regulator'
      | 'patient';
    /**
     * @description PATIENT: patients read of themselves
     * @enum {string}
     */
    readonly Purpose:
      | 'TREATMENT'
      | 'CONSULTATION'
      | 'RECOGNITION'
      | 'SHARE'
      | 'QC'
      | 'REGULATION'
      | 'OPS'
      | 'RESEARCH'
      | 'EMERGENCY'
      | 'PATIENT';
    /**
     * @description invited: has to choose a password; pending: waits for approval; ended: for good
     * @enum {string}
     */
    readonly AccountState: 'invited' | 'pending' | 'active' | 'suspended' | 'ended';
    readonly AccountRole: {
      readonly role: components['schemas']['PersonRole'];
      /** @description Required for interface-engineer */
      readonly site?: string | null;
    };
    readonly Account: {
      readonly id: string;
      readonly loginName: string;
      readonly displayName: string;
      readonly institution: string | null;
      readonly department: string | null;
      readonly practitionerId: string | null;
      /** @enum {string} */
      readonly language: 'zh' | 'en';
      /** @enum {string} */
      readonly source: 'local' | 'saml';
      readonly idp: string | null;
      readonly state: components['schemas']['AccountState'];
      readonly stateReason: string | null;
      readonly roles: readonly components['schemas']['AccountRole'][];
      readonly hasSecondFactor: boolean;
      readonly createdAt: string;
      readonly createdBy: string;
      readonly lastSignInAt: string | null;
    };
    readonly InvitedAccount: components['schemas']['Account'] & {
      readonly activationCode: string | null;
      readonly activationUntil: string | null;
      readonly approval: components['schemas']['AskedApproval'] | null;
    };
    readonly AskedApproval: {
      readonly id: string;
      readonly lapsesAt: string;
      /** @description Shown now only; null: no secret is needed */
      readonly firstHalf: string | null;
      /** @description People who could approve now; 0: the holder of the token of the first start does */
      readonly approvers: number;
    };
    /** @enum {string} */
    readonly ApprovalState: 'open' | 'approved' | 'refused' | 'lapsed';
    readonly ApprovalRights: {
      readonly roles: readonly {
        readonly role: string;
        readonly site: string | null;
      }[];
      readonly institution: string | null;
      readonly practitionerId: string | null;
    };
    readonly Approval: {
      readonly id: string;
      /**
       * @description A client that reads; a new account; its factors anew; wider rights of an account
       * @enum {string}
       */
      readonly kind: 'client' | 'account' | 'reset' | 'rights';
      readonly state: components['schemas']['ApprovalState'];
      readonly clientId: string | null;
      readonly accountId: string | null;
      readonly name: string;
      readonly loginName: string | null;
      readonly now: components['schemas']['ApprovalRights'] | null;
      readonly wanted: components['schemas']['ApprovalRights'];
      /** @description SHA-256, hexadecimal */
      readonly certificate: string | null;
      /** @description Of the keys, RFC 7638 */
      readonly thumbprints: readonly string[];
      readonly hasSecret: boolean;
      readonly askedBy: string;
      readonly askedByName: string;
      readonly askedAt: string;
      readonly lapsesAt: string;
      readonly decidedBy: string | null;
      readonly decidedByName: string | null;
      readonly decidedAt: string | null;
      readonly reason: string | null;
      readonly activatedAt: string | null;
    };
    readonly Session: {
      /**
       * @description What is to be done next: a new password, a second factor enrolled or shown, a role chosen; open: nothing
       * @enum {string}
       */
      readonly stage: 'password' | 'enrolment' | 'totp' | 'role' | 'open';
      readonly account: {
        readonly id: string;
        readonly loginName: string;
        readonly displayName: string;
        readonly institution: string | null;
        readonly department: string | null;
        /** @enum {string} */
        readonly language: 'zh' | 'en';
        /** @enum {string} */
        readonly source: 'local' | 'saml';
      };
      readonly role: components['schemas']['PersonRole'] | null;
      readonly site: string | null;
      readonly roles: readonly components['schemas']['AccountRole'][];
      readonly purpose: components['schemas']['Purpose'];
      readonly purposes: readonly components['schemas']['Purpose'][];
      /** @description Of a patient: whose records are theirs now; null: nobody's, or it is in doubt. Null to all others */
      readonly person: string | null;
      readonly factors: readonly ('password' | 'totp' | 'saml')[];
      readonly startedAt: string;
      /** @description However much it is used */
      readonly endsAt: string;
      /** @description Until it is over where it is not used again, by idling or at endsAt */
      readonly secondsLeft: number;
      /** @description Once, when a second factor was enrolled: each serves once where the device is lost */
      readonly recoveryCodes?: readonly string[];
    };
    /** @enum {string} */
    readonly Role: 'administrator' | 'operator' | 'query-platform' | 'hospital-feed';
    /** @enum {string} */
    readonly Channel: 'hl7v2' | 'rest' | 'dicom' | 'dicomweb' | 'xds' | 'fhir' | 'hl7v3';
    /** @enum {string} */
    readonly JournalState: 'received' | 'applied' | 'refused' | 'review';
    /** @enum {string} */
    readonly ReviewKind: 'message' | 'identity';
    /** @enum {string} */
    readonly ReviewState: 'open' | 'retried' | 'dismissed' | 'resolved';
    /** @enum {string} */
    readonly OrphanKind:
      'images-without-order' | 'images-without-report' | 'report-without-images' | 'report-without-order';
    readonly Site: {
      readonly id: string;
      readonly name: string;
      readonly institutionCode: string;
      readonly level?: string;
      /** @enum {string} */
      readonly storage: 'centre' | 'centre-and-local' | 'hospital';
      readonly timeZone: string;
      readonly channels: readonly ('hl7v2' | 'dicom' | 'rest')[];
    };
    readonly JournalSummary: {
      readonly journalId: string;
      readonly channel: components['schemas']['Channel'];
      readonly site: string | null;
      readonly sender: string;
      readonly peer: string;
      readonly controlId: string;
      readonly messageType: string;
      readonly contentType: string;
      readonly size: number;
      readonly receivedAt: string;
      readonly state: components['schemas']['JournalState'];
      readonly attempts: number;
      readonly decidedAt: string | null;
      readonly problem: components['schemas']['Cause'] | null;
      readonly findingCount: number;
    };
    readonly JournalEntry: components['schemas']['JournalSummary'] & {
      readonly findings: readonly components['schemas']['Finding'][];
      readonly reviewId: string | null;
    };
    readonly JournalCounters: {
      readonly received: number;
      readonly applied: number;
      readonly refused: number;
      readonly review: number;
      readonly pending: number;
    };
    readonly Review: {
      readonly reviewId: string;
      readonly kind: components['schemas']['ReviewKind'];
      readonly state: components['schemas']['ReviewState'];
      readonly site: string | null;
      readonly openedAt: string;
      readonly problem: components['schemas']['Cause'];
      readonly findings: readonly components['schemas']['Finding'][];
      readonly journalId: string | null;
      readonly records: readonly string[];
      readonly persons: readonly string[];
      readonly closed: {
        readonly at: string;
        readonly by: string;
        readonly reason: string | null;
      } | null;
      /** @description Bits that speak for one person */
      readonly weight: number | null;
      /** @description The hard rule that stands between the two */
      readonly veto: string | null;
      /** @description 8 two that are one person now, and may not be + 4 an exam of today + 2 inpatient or emergency + 1 conflicting resident IDs */
      readonly urgency: number;
      /** @description The first word where two people must decide */
      readonly proposal: {
        /** @enum {string} */
        readonly decision: 'same' | 'not-same';
        readonly by: string;
        readonly at: string;
        readonly reason: string;
      } | null;
      /** @description What to POST after the cause was mended; null: it is closed */
      readonly retry: string | null;
    };
    readonly HubId: string;
    readonly Reason: string;
    /** @description Of the caller: the same again is the same decision */
    readonly RequestId: string;
    readonly PersonName: {
      readonly text: string;
      /** @enum {string} */
      readonly representation: 'ideographic' | 'alphabetic' | 'phonetic';
    };
    readonly PersonRegistration: {
      readonly recordId: string;
      readonly site: string;
      readonly authority: string;
      readonly localId: string;
      readonly names: readonly components['schemas']['PersonName'][];
      readonly sex: string | null;
      readonly birthDate: string | null;
      readonly residentId: string | null;
      readonly phone: string | null;
      readonly address: string | null;
      readonly mergedInto: string | null;
      /**
       * Format: date-time
       * @description Since when its hospital has taken it back (A29, ITI-93); absent: it stands
       */
      readonly withdrawnAt?: string;
      /** @description Values are shortened: the caller may not read records */
      readonly masked: boolean;
    };
    readonly Explanation: {
      readonly records: readonly string[];
      /** @enum {string} */
      readonly source: 'comparison' | 'hospital' | 'decision';
      /** @enum {string} */
      readonly says: 'same' | 'not-same' | 'doubt';
      readonly weight: number | null;
      readonly veto: string | null;
      readonly contributions: readonly {
        readonly attribute: string;
        readonly level: string;
        readonly weight: number;
      }[];
      /** @description Version of the rules, or the decision */
      readonly by: string;
    };
    readonly Survivor: {
      readonly attribute: string;
      /** @description The registration that it is taken from */
      readonly recordId: string;
      readonly rule: string;
    };
    readonly IdentityDecision: {
      readonly decisionId: string;
      /** @enum {string} */
      readonly kind: 'merge' | 'split' | 'same' | 'not-same' | 'undo';
      readonly at: string;
      readonly by: string;
      readonly reason: string;
      readonly undoes: string | null;
      readonly undoneBy: string | null;
      readonly records: readonly string[];
    };
    readonly Decided: {
      readonly decision: components['schemas']['IdentityDecision'];
      readonly persons: readonly string[];
    };
    readonly Person: {
      readonly personId: string;
      readonly formerIds: readonly string[];
      readonly registrations: readonly components['schemas']['PersonRegistration'][];
      readonly survivors: readonly components['schemas']['Survivor'][];
      readonly links: readonly components['schemas']['Explanation'][];
      readonly decisions: readonly components['schemas']['IdentityDecision'][];
    };
    readonly ReviewSides: {
      readonly review: components['schemas']['Review'];
      readonly sides: readonly components['schemas']['PersonRegistration'][];
      readonly comparison: components['schemas']['Explanation'] | null;
    };
    readonly Forecast: {
      readonly review: number;
      readonly link: number;
      readonly waiting: number;
      /** @description Below it the count is scaled up from a sample of one registration in sixteen */
      readonly sampledBelow: number;
      readonly openNow: number;
    };
    readonly MatchRulesInForce: {
      readonly version: string;
      readonly prior: number;
      readonly householdCap: number;
      readonly thresholds: {
        readonly link: number;
        readonly review: number;
      };
      readonly odds: {
        readonly [key: string]: unknown;
      };
      readonly cuts: readonly {
        readonly candidates: number;
        readonly times: number;
        readonly lastAt: string;
      }[];
    };
    readonly Rematch: {
      readonly rematchId: string;
      readonly rules: string;
      /** @enum {string} */
      readonly state: 'comparing' | 'judging' | 'compared' | 'applying' | 'done' | 'cancelled';
      readonly passed: number;
      readonly total: number;
      readonly report: {
        readonly moved: number;
        readonly linked: number;
        readonly split: number;
        readonly review: number;
        readonly samples: {
          readonly linked: readonly (readonly string[])[];
          readonly split: readonly (readonly string[])[];
        };
      };
      readonly startedAt: string;
      readonly startedBy: string;
      readonly endedAt: string | null;
    };
    readonly Orphan: {
      readonly kind: components['schemas']['OrphanKind'];
      readonly examId: string;
      readonly site: string;
      readonly since: string;
    };
    readonly Client: {
      readonly id: string;
      readonly name: string;
      readonly role: components['schemas']['Role'];
      readonly site: string | null;
      /** @description SHA-256, hexadecimal */
      readonly certificate: string | null;
      /** @description A security administrator lets this system of a hospital record consents */
      readonly recordsConsents: boolean;
      readonly createdAt: string;
      readonly createdBy: string;
      readonly lastUsedAt: string | null;
      readonly revokedAt: string | null;
      /** @description Waits for a second administrator */
      readonly pending: boolean;
    };
    readonly AuditEntry: {
      readonly id: string;
      readonly at: string;
      readonly action: string;
      readonly outcome: string;
      readonly face: string;
      readonly operation: string;
      readonly callerId: string;
      readonly callerName: string;
      readonly callerRole: string;
      readonly peer: string;
      readonly persons: readonly string[];
      readonly objects: readonly string[];
      readonly reason?: string;
      /** @description Purpose of use, e.g. TREATMENT */
      readonly purpose?: string;
      /** @description By what right */
      readonly basis?: string;
      readonly institution?: string;
      /** @description A hash that names the session */
      readonly session?: string;
      /** @description Browser or program */
      readonly agent?: string;
      /** @description The user in whose name the caller acted, as a trusted issuer stated it */
      readonly onBehalfOf?: {
        readonly issuer: string;
        readonly userId: string;
        readonly userName?: string;
        readonly organization?: string;
        readonly roles: readonly components['schemas']['Coded'][];
        readonly purposes: readonly components['schemas']['Coded'][];
        /** @description Who acted in the user's place */
        readonly delegates?: readonly string[];
        readonly emergency: boolean;
      };
    };
    readonly Coded: {
      readonly code: string;
      readonly system: string;
      readonly display?: string;
    };
    /** @enum {string} */
    readonly BodyRegion:
      | 'head'
      | 'neck'
      | 'chest'
      | 'breast'
      | 'heart'
      | 'abdomen'
      | 'pelvis'
      | 'spine'
      | 'upper-limb'
      | 'lower-limb'
      | 'whole-body'
      | 'other';
    /** @description Exactly one of `residentId`, `number`, `phone`, or `name` with `birthDate` */
    readonly PersonQuestion: {
      /**
       * 证件号码
       * @description Resident ID in any of its spellings
       */
      readonly residentId?: string;
      /**
       * 医院编号
       * @description A number of any hospital: of the patient, or of an exam (检查号)
       */
      readonly number?: string;
      /**
       * 医院
       * @description Only registrations of this site
       */
      readonly site?: string;
      /** 手机号码 */
      readonly phone?: string;
      /** 患者姓名 */
      readonly name?: string;
      /** 出生日期 */
      readonly birthDate?: string;
      /**
       * 性别
       * @enum {string}
       */
      readonly sex?: 'male' | 'female';
      /** @default 20 */
      readonly limit: number;
      readonly after?: string;
    };
    /** @description Who it is, as far as must be told to know them again */
    readonly PersonHeader: {
      readonly personId: string;
      readonly name: string | null;
      readonly sex: string | null;
      readonly birthDate: string | null;
      /** @description Shortened */
      readonly residentId: string | null;
      readonly registrations: readonly {
        readonly site: string;
        readonly siteName: string;
        /** @description Shortened */
        readonly localId: string;
      }[];
    };
    readonly PersonFound: {
      readonly person: components['schemas']['PersonHeader'];
      /**
       * @description closed: there is no right to the records; a consent code or an emergency may give it; reason: the account is under a flag and says why first
       * @enum {string}
       */
      readonly access: 'open' | 'closed' | 'reason';
      /** @description Of what the caller may see */
      readonly examCount: number;
      readonly lastExamAt: string | null;
      readonly modalities: readonly string[];
      /** @description Names of the hospitals of these exams */
      readonly sites: readonly string[];
    };
    readonly Facet: {
      readonly value: string;
      readonly label: string;
      readonly count: number;
    };
    readonly TimelineExam: {
      readonly examId: string;
      readonly site: string;
      readonly siteName: string;
      /** @description When it was made; else reported, else ordered */
      readonly at: string | null;
      readonly modalities: readonly string[];
      readonly region: components['schemas']['BodyRegion'];
      readonly title: string | null;
      /** @description Requesting department */
      readonly department?: string | null;
      readonly cancelled: boolean;
      readonly report: {
        readonly status: string;
        readonly at: string;
        /** @description The first 300 characters */
        readonly impression: string;
        readonly critical: boolean;
        readonly positive: boolean | null;
        readonly revisions: number;
      } | null;
      readonly images: {
        readonly studyInstanceUid: string;
        readonly series: number;
        readonly instances: number;
        /** @enum {string} */
        readonly availability: 'registered' | 'partial' | 'complete' | 'at-hospital';
      } | null;
    };
    readonly Prior: {
      readonly exam: components['schemas']['TimelineExam'];
      readonly sameRegion: boolean;
      readonly sameModality: boolean;
      readonly earlier: boolean;
    };
    readonly ReportRevision: {
      /** @description Number of the report at the hospital */
      readonly number: string;
      /** @enum {string} */
      readonly status: 'preliminary' | 'final' | 'corrected' | 'withdrawn';
      /** @description When the hospital says it was so */
      readonly at: string;
      /** @description When the hub heard of it */
      readonly recordedAt: string;
      readonly current: boolean;
      readonly journalId: string;
      readonly content: {
        readonly title?: string;
        readonly findings?: string;
        readonly impression?: string;
        readonly suggestion?: string;
        readonly positive?: boolean | null;
        readonly critical?: boolean;
        readonly reporter?: string;
        readonly auditor?: string;
      };
      /** @description Against the version before it; empty for the first */
      readonly changes: readonly {
        /** @enum {string} */
        readonly field: 'title' | 'findings' | 'impression' | 'suggestion';
        readonly parts: readonly {
          /** @enum {string} */
          readonly kind: 'same' | 'added' | 'removed';
          readonly text: string;
        }[];
      }[];
    };
    readonly Hop: {
      /** @enum {string} */
      readonly kind: 'message' | 'images' | 'linked' | 'indexed' | 'manifest' | 'at-hospital';
      readonly at: string | null;
      readonly site: string | null;
      readonly siteName: string | null;
      readonly channel?: string;
      readonly sender?: string;
      readonly messageType?: string;
      readonly journalId?: string;
      readonly state?: components['schemas']['JournalState'];
      /** @description When it was mapped and applied */
      readonly settledAt?: string | null;
      readonly findings?: readonly components['schemas']['Finding'][];
      /** @description Of images, documents or registrations */
      readonly count?: number;
      /** @description The provincial index */
      readonly value?: string;
      /** @enum {string} */
      readonly issuedBy?: 'hub' | 'outside';
      /** @description Why this registration is the same person as the others */
      readonly links?: readonly {
        /** @enum {string} */
        readonly source: 'comparison' | 'hospital' | 'decision';
        /** @enum {string} */
        readonly says: 'same' | 'not-same' | 'doubt';
        readonly weight: number | null;
        readonly attributes: readonly string[];
      }[];
    };
    readonly ExamRecord: {
      readonly examId: string;
      readonly site: string;
      /** @description Of the hospital that made the exam */
      readonly siteName: string;
      readonly personId: string;
      readonly provincialIndex: string | null;
      readonly cancelled: boolean;
      readonly patient: {
        readonly recordId: string;
        readonly localId: string;
        readonly authority: string;
        readonly name: string | null;
        readonly sex: string | null;
        readonly birthDate: string | null;
      };
      readonly keys: {
        readonly placer?: string;
        readonly filler?: string;
        readonly accession?: string;
        readonly studyUid?: string;
        readonly provincialIndex?: string;
      };
      readonly orders: readonly {
        readonly orderId: string;
        readonly status: string;
        readonly at: string;
        readonly procedure?: components['schemas']['Coded'];
        readonly modality?: string;
        readonly bodyPart?: components['schemas']['Coded'];
        readonly requestingDepartment?: components['schemas']['Coded'];
        readonly requestedAt?: string;
        readonly requester?: string;
        readonly priority?: string;
        readonly reason?: string;
        readonly diagnosis?: components['schemas']['Coded'];
        readonly scheduledAt?: string;
        readonly startedAt?: string;
        readonly performer?: string;
        readonly device?: string;
      }[];
      readonly studies: readonly {
        readonly studyInstanceUid: string;
        readonly modalities: readonly string[];
        readonly description?: string;
        readonly startedAt?: string;
        readonly seriesCount: number;
        readonly instanceCount: number;
        /** @enum {string} */
        readonly availability: 'registered' | 'partial' | 'complete' | 'at-hospital';
        readonly voided: boolean;
        /** @description Where the hospital itself serves the images, as it told */
        readonly accessUrl?: string;
        /** @description Where one exam was asked for */
        readonly series?: readonly {
          readonly seriesInstanceUid: string;
          readonly modality: string;
          readonly instanceCount: number;
          readonly number?: number;
          readonly description?: string;
          readonly bodyPart?: string;
          readonly laterality?: string;
          readonly startedAt?: string;
          readonly stationName?: string;
          readonly manufacturer?: string;
        }[];
      }[];
      readonly report: {
        readonly reportId: string;
        readonly reportNumber: string;
        readonly status: string;
        readonly at: string;
        readonly title?: string;
        readonly findings?: string;
        readonly impression?: string;
        readonly suggestion?: string;
        readonly positive?: boolean | null;
        readonly critical?: boolean;
        readonly reporter?: string;
        readonly auditor?: string;
        readonly reportedAt?: string;
        readonly auditedAt?: string;
      } | null;
    };
    readonly InstitutionCode: string;
    /** @enum {string} */
    readonly Standing: 'applied' | 'approved' | 'suspended' | 'left';
    readonly StandingEntry: {
      /** @enum {string} */
      readonly step: 'apply' | 'approve' | 'refuse' | 'suspend' | 'resume' | 'leave';
      readonly by: string;
      readonly at: string;
      readonly reason: string;
    };
    readonly InstitutionApplication: {
      /** @description 22-character institution code, or USCC */
      readonly code: components['schemas']['InstitutionCode'];
      readonly nameZh: string;
      readonly nameEn?: string;
      /** @description The institution that it is a part of */
      readonly parent?: components['schemas']['InstitutionCode'];
      readonly kind?: components['schemas']['InstitutionKind'];
      /** @description GB/T 2260; absent: of this province */
      readonly region?: string;
      /** @description 医疗机构执业许可证 */
      readonly licence?: string;
      readonly uscc?: string;
      /** @description Feeding sites that belong to it */
      readonly sites?: readonly string[];
    };
    /** @enum {string} */
    readonly InstitutionKind:
      'hospital' | 'branch' | 'primary-care' | 'imaging-centre' | 'public-health' | 'authority' | 'other';
    readonly Institution: {
      readonly code: string;
      readonly nameZh: string;
      readonly nameEn: string | null;
      readonly parent: string | null;
      readonly kind: components['schemas']['InstitutionKind'];
      readonly region: string | null;
      readonly state: components['schemas']['Standing'];
      readonly sites: readonly string[];
      readonly licence: string | null;
      readonly uscc: string | null;
    };
    readonly ConsortiumTerms: {
      readonly nameZh: string;
      readonly nameEn?: string;
      /** Format: date-time */
      readonly from?: string;
      /** Format: date-time */
      readonly until?: string;
      readonly members: readonly components['schemas']['InstitutionCode'][];
    };
    readonly Consortium: {
      readonly id: string;
      readonly nameZh: string;
      readonly nameEn: string | null;
      readonly from: string | null;
      readonly until: string | null;
      readonly members: readonly string[];
    };
    readonly PractitionerApplication: {
      readonly institution: components['schemas']['InstitutionCode'];
      /** @description 医师执业证书编码 */
      readonly licence: string;
      readonly name: components['schemas']['ShownName'];
      readonly department: string;
      readonly title?: string;
      /** @description The account by which the doctor signs on */
      readonly accountId?: components['schemas']['HubId'];
    };
    readonly Practitioner: {
      readonly practitionerId: string;
      readonly institution: string;
      readonly licence: string;
      readonly name: string;
      readonly department: string;
      readonly title: string;
      readonly accountId: string | null;
      readonly state: components['schemas']['Standing'];
      readonly appliedBy: string;
      readonly appliedAt: string;
      readonly updatedAt: string;
    };
    /** @enum {string} */
    readonly Sensitivity: 'psychiatry' | 'hiv' | 'std' | 'genetics' | 'reproduction' | 'addiction' | 'vip';
    /** @enum {string} */
    readonly ConsentEffect: 'permit' | 'deny';
    /** @enum {string} */
    readonly ConsentGiver: 'patient' | 'guardian' | 'representative';
    readonly InstitutionCodes: readonly string[];
    /** @description A list that is absent or empty names none in particular, which means all */
    readonly ConsentRuleTerms: {
      readonly effect: components['schemas']['ConsentEffect'];
      /** @description Who would see: codes of institutions, or `consortium/id` */
      readonly recipients?: components['schemas']['InstitutionCodes'];
      /** @description Whose data */
      readonly sources?: components['schemas']['InstitutionCodes'];
      readonly purposes?: readonly components['schemas']['Purpose'][];
      readonly classes?: readonly ('ImagingStudy' | 'DiagnosticReport' | 'DocumentReference' | 'ServiceRequest')[];
      /** @description A permission reaches a sensitive record only where all its labels are named */
      readonly labels?: readonly components['schemas']['Sensitivity'][];
      /** Format: date-time */
      readonly from?: string;
      /**
       * Format: date-time
       * @description Excluded
       */
      readonly until?: string;
      /** @description Position of an earlier rule that this is an exception of */
      readonly exceptionOf?: number;
    };
    readonly ConsentTerms: {
      readonly personId: components['schemas']['HubId'];
      /** @description The text that the patient was shown, in its version: a URI */
      readonly form: string;
      readonly rules: readonly components['schemas']['ConsentRuleTerms'][];
      readonly giver?: components['schemas']['ConsentGiver'];
      readonly giverName?: string;
      /** @description HL7 v3 RoleCode: MTH, FTH, GUARD */
      readonly giverRelation?: string;
      /**
       * Format: date-time
       * @description Absent: now
       */
      readonly givenAt?: string;
      /** @enum {string} */
      readonly channel?: 'desk' | 'app' | 'paper';
      /** @description At whose desk; of a hospital’s own callers it is their own */
      readonly institution?: components['schemas']['InstitutionCode'];
      /** @description URL of the signed paper; a hospital’s system that opens records names one */
      readonly evidence?: string;
    };
    readonly Consent: {
      readonly consentId: string;
      readonly version: number;
      /** @enum {string} */
      readonly status: 'active' | 'inactive' | 'entered-in-error';
      readonly personId: string;
      readonly rules: readonly {
        readonly effect: components['schemas']['ConsentEffect'];
        readonly recipients: readonly string[];
        readonly sources: readonly string[];
        readonly purposes: readonly components['schemas']['Purpose'][];
        readonly classes: readonly string[];
        readonly labels: readonly string[];
        readonly from: string | null;
        readonly until: string | null;
        readonly exceptionOf: number | null;
      }[];
      readonly giver: components['schemas']['ConsentGiver'];
      readonly giverName: string | null;
      readonly giverRelation: string | null;
      readonly givenAt: string;
      /** @enum {string} */
      readonly channel: 'desk' | 'app' | 'paper' | 'patient-present' | 'fhir';
      readonly form: string;
      readonly institution: string | null;
      readonly evidence: string | null;
      readonly recordedAt: string;
      readonly recordedBy: {
        readonly id: string;
        readonly name: string;
        readonly role: string;
      };
      readonly reason: string | null;
    };
    readonly PresentCodeRequest: {
      readonly personId: components['schemas']['HubId'];
      /**
       * @description 128 random bits for a QR code, or eight digits to be read out
       * @default token
       * @enum {string}
       */
      readonly kind: 'token' | 'digits';
      /** @default 5 */
      readonly minutes: number;
      /**
       * @description How long the consent will hold
       * @default 12
       */
      readonly hours: number;
      readonly sources?: components['schemas']['InstitutionCodes'];
      readonly labels?: readonly components['schemas']['Sensitivity'][];
      readonly form: string;
      readonly giver?: components['schemas']['ConsentGiver'];
      readonly giverName?: string;
      readonly giverRelation?: string;
      /** @description By what the desk knew the patient: URL of the check of the card, or of a paper; a hospital’s system names one */
      readonly evidence?: string;
    };
    readonly AccessReason: {
      readonly reasonId: string;
      readonly accountId: string;
      readonly accountName: string;
      readonly personId: string;
      readonly purpose: components['schemas']['Purpose'];
      readonly text: string;
      readonly at: string;
      readonly until: string;
    };
    readonly PatientNotice: {
      readonly noticeId: string;
      readonly personId: string;
      /** @enum {string} */
      readonly kind: 'break-glass' | 'break-glass-reviewed' | 'consent-recorded' | 'consent-withdrawn';
      readonly subject: string;
      readonly content: {
        readonly institution: string | null;
        readonly institutionName: string | null;
        readonly by: string | null;
        readonly reason: string | null;
        readonly until: string | null;
      };
      /** @description What stands in the message, in Chinese */
      readonly text: string;
      readonly at: string;
      /** @description null: not taken yet, or nobody is configured to take it */
      readonly deliveredAt: string | null;
    };
    /** @enum {string} */
    readonly BreakGlassReason:
      'life-threatening' | 'unconscious' | 'urgent-surgery' | 'relation-not-recorded' | 'public-health' | 'other';
    readonly BreakGlass: {
      readonly grantId: string;
      readonly personId: string;
      readonly accountId: string;
      readonly accountName: string;
      readonly practitionerId: string | null;
      readonly institution: string | null;
      readonly reason: components['schemas']['BreakGlassReason'];
      readonly text: string;
      readonly at: string;
      readonly until: string;
      readonly endedAt: string | null;
      readonly review: {
        readonly dueAt: string;
        readonly outcome: ('justified' | 'unjustified') | null;
        readonly by: string | null;
        readonly at: string | null;
        readonly note: string | null;
      };
    };
    /** @enum {string} */
    readonly Severity: 'low' | 'medium' | 'high';
    readonly OwnFlag: {
      readonly flagId: string;
      readonly rule: string;
      readonly severity: components['schemas']['Severity'];
      /** @enum {string} */
      readonly reaction: 'notify' | 'explain' | 'suspend';
      readonly at: string;
      readonly note: string;
      readonly explanation: {
        readonly text: string;
        readonly at: string;
      } | null;
      readonly closed: {
        readonly at: string;
        readonly by: string;
        readonly note: string;
      } | null;
    };
    readonly AccountFlag: components['schemas']['OwnFlag'] & {
      readonly accountId: string;
      readonly accountName: string;
      /** @description The emergency of which it comes */
      readonly grantId: string | null;
      /** @description The auditors' flag of which it comes */
      readonly auditFlagId: string | null;
      readonly by: string;
    };
    readonly Worklist: {
      /** @description That ask for an explanation */
      readonly ownFlags: number;
      readonly accountFlags: number | null;
      readonly auditFlags: number | null;
      /** @description Not reviewed yet */
      readonly breakGlass: number | null;
      /** @description Institutions and doctors */
      readonly applications: number | null;
      readonly pendingAccounts: number | null;
      /** @description Of others, about others: this administrator may be the second */
      readonly approvals: number | null;
    };
    /** @enum {string} */
    readonly SensitivityField: 'requestingDepartment' | 'procedure' | 'diagnosis' | 'modality' | 'bodyPart' | 'site';
    readonly SensitivityRuleTerms: {
      readonly field: components['schemas']['SensitivityField'];
      /** @description As the province's table has it, or as the source gave it; of `site` its id */
      readonly code: string;
      readonly label: components['schemas']['Sensitivity'];
      /** @description Of exams of this hospital alone */
      readonly site?: string;
      readonly reason: components['schemas']['Reason'];
    };
    readonly SensitivityRule: {
      readonly ruleId: string;
      readonly field: components['schemas']['SensitivityField'];
      readonly code: string;
      readonly label: components['schemas']['Sensitivity'];
      readonly site: string | null;
      readonly reason: string;
      readonly createdAt: string;
      readonly createdBy: string;
    };
    readonly ExamLabels: {
      readonly examId: string;
      readonly site: string;
      readonly labels: readonly {
        readonly label: components['schemas']['Sensitivity'];
        /** @enum {string} */
        readonly source: 'rule' | 'hand';
        readonly setAt: string;
        readonly setBy: string;
        readonly reason: string;
      }[];
    };
    /** @enum {string} */
    readonly FindingCode:
      | 'unmapped-code'
      | 'missing-optional'
      | 'degraded'
      | 'charset-suspect'
      | 'invalid-value'
      | 'identifier-suspect'
      | 'demographics-differ'
      | 'stale'
      | 'candidates-cut'
      | 'ignored-segment'
      | 'orphan'
      | 'conflict';
    readonly DecimalId: string;
    readonly JournalIds: readonly components['schemas']['DecimalId'][];
    /** @example procedure */
    readonly CodeTableName: string;
    /** @description As of GET /journal, without the state. */
    readonly WorkFilter: {
      readonly site?: string;
      readonly channel?: components['schemas']['Channel'];
      readonly finding?: components['schemas']['FindingCode'];
      readonly messageType?: string;
      readonly cause?: string;
      readonly text?: string;
      /** Format: date-time */
      readonly from?: string;
      /** Format: date-time */
      readonly to?: string;
    };
    readonly MappingTried: {
      readonly site: string;
      readonly table: components['schemas']['CodeTableName'];
      readonly source: string;
      readonly code: string;
      readonly display?: string;
    };
    readonly Latency: {
      readonly p50Ms: number | null;
      readonly p95Ms: number | null;
    };
    readonly ChannelBoard: {
      readonly at: string;
      readonly listeners: readonly {
        readonly process: string;
        readonly channel: string;
        readonly address: string;
        readonly listening: boolean;
        readonly connections: number;
        readonly seenAt: string;
      }[];
      readonly channels: readonly (components['schemas']['Latency'] & {
        /** @description null: senders of no site */
        readonly site: string | null;
        readonly channel: string;
        readonly lastMessageAt: string | null;
        readonly lastError: {
          readonly at: string;
          readonly cause: string;
        } | null;
        /** @description Messages or images that came during the last 60 minutes and are decided */
        readonly lastHour: number;
        readonly lastDay: number;
        readonly waiting: number;
        readonly oldestWaitingAt: string | null;
        /** @description Of the last day */
        readonly refused: number;
        /** @description Of the last day */
        readonly review: number;
      })[];
    };
    readonly IntakeOverTime: {
      /** @enum {string} */
      readonly step: 'hour' | 'day';
      readonly steps: readonly (components['schemas']['Latency'] & {
        readonly at: string;
        readonly messages: number;
        readonly images: number;
        readonly applied: number;
        readonly refused: number;
        readonly review: number;
      })[];
      readonly bySite: readonly {
        readonly site: string | null;
        readonly messages: number;
        readonly images: number;
        readonly failed: number;
      }[];
      readonly causes: readonly {
        readonly site: string | null;
        readonly cause: string;
        readonly entries: number;
      }[];
    };
    readonly Completeness: {
      readonly exams: readonly {
        readonly site: string;
        readonly modality: string;
        readonly exams: number;
        readonly complete: number;
        readonly ordersWithoutReport: number;
        readonly reportsWithoutImages: number;
        readonly imagesWithoutOrder: number;
        readonly cancelled: number;
      }[];
      readonly images: readonly {
        readonly site: string;
        readonly availability: string;
        readonly studies: number;
        readonly images: number;
      }[];
    };
    readonly DecodedMessage: {
      readonly journalId: string;
      /** @enum {string} */
      readonly format: 'hl7v2' | 'json' | 'dicom' | 'xml' | 'unreadable';
      readonly charset: string | null;
      readonly masked: boolean;
      readonly rows: readonly {
        /** @description Its place, as findings say it: PID-5.1, (0010,0010), name */
        readonly where: string;
        readonly name: string;
        readonly nameZh: string;
        readonly value: string;
        readonly masked: boolean;
        readonly depth: number;
        /** @description Places in findings */
        readonly findings: readonly number[];
      }[];
      readonly findings: readonly components['schemas']['Finding'][];
      readonly truncated: boolean;
    };
    readonly ReplayPreview: {
      /** @description How many entries a replay would take */
      readonly concerned: number;
      readonly entries: readonly {
        readonly journalId: string;
        /** @enum {string} */
        readonly outcome: 'unchanged' | 'changed' | 'review';
        readonly problem: components['schemas']['Cause'] | null;
        readonly findings: readonly components['schemas']['Finding'][];
        readonly changes: readonly {
          /** @enum {string} */
          readonly subject: 'patient' | 'exam';
          readonly id: string;
          readonly field: string;
          readonly before: string | null;
          readonly after: string | null;
          readonly masked: boolean;
        }[];
      }[];
    };
    readonly Replay: {
      readonly workId: string;
      /** @enum {string} */
      readonly kind: 'retry' | 'replay';
      readonly scope: {
        readonly [key: string]: unknown;
      };
      readonly site: string | null;
      /** @enum {string} */
      readonly state: 'running' | 'done' | 'cancelled';
      readonly reason: string;
      readonly startedAt: string;
      readonly startedBy: string;
      readonly endedAt: string | null;
      /** @description left + skipped + waiting + applied + review + refused */
      readonly total: number;
      readonly left: number;
      /** @description In another state when their turn came, or gone */
      readonly skipped: number;
      readonly waiting: number;
      readonly applied: number;
      readonly review: number;
      readonly refused: number;
    };
    readonly UnmappedCode: {
      readonly site: string;
      readonly table: string;
      readonly code: string;
      readonly display: string | null;
      readonly field: string;
      readonly channel: string;
      /** @description How often a message was applied with it; retries and replays count again */
      readonly seen: number;
      readonly firstSeenAt: string;
      readonly lastSeenAt: string;
      readonly lastJournalId: string;
    };
    readonly CodeMapping: {
      readonly mappingId: string;
      readonly site: string;
      readonly table: string;
      readonly source: string;
      readonly sourceDisplay: string | null;
      readonly code: string;
      readonly display: string | null;
      readonly reason: string;
      readonly madeAt: string;
      readonly madeBy: string;
      readonly undone: {
        readonly at: string;
        readonly by: string;
        readonly reason: string;
      } | null;
    };
    readonly MappingMade: {
      readonly mapping: components['schemas']['CodeMapping'];
      /** @description Entries that stand and would be read otherwise now: they met the code before it was mapped, or were read with a mapping that is undone */
      readonly concerned: number;
    };
    readonly AuditFinding: {
      readonly kind: string;
      readonly text: string;
      readonly at?: string;
      readonly id?: string;
      readonly lane?: number;
      readonly seq?: number;
      readonly records?: number;
    };
    readonly AuditProof: {
      /** @description null: never proved */
      readonly intact: boolean | null;
      readonly provedAt: string | null;
      readonly newestAnchor: {
        readonly number: number;
        readonly at: string;
      } | null;
      readonly runs: readonly {
        readonly id: string;
        readonly kind: string;
        readonly beganAt: string;
        readonly endedAt: string | null;
        readonly intact: boolean | null;
        readonly records: number;
        readonly findingCount: number;
        readonly findings: readonly components['schemas']['AuditFinding'][];
        readonly fromAnchor: number | null;
        readonly upToAnchor: number;
        readonly month: string | null;
      }[];
    };
    readonly AuditAnchor: {
      readonly number: number;
      /** @description JSON, the very text that was signed */
      readonly statement: string;
      /** @description base64 */
      readonly signature: string;
    };
    readonly AuditFlag: {
      readonly flagId: string;
      readonly rule: string;
      readonly actor: string;
      readonly actorName: string;
      readonly institution: string | null;
      readonly firstAt: string;
      readonly lastAt: string;
      readonly events: number;
      readonly persons: readonly string[];
      /** @description Ids of AuditEvents */
      readonly records: readonly string[];
      readonly explanation: string;
      readonly taken: {
        readonly at: string;
        readonly by: string;
      } | null;
      readonly closed: {
        readonly at: string;
        readonly by: string;
        readonly verdict: string;
        readonly reason: string | null;
      } | null;
    };
    readonly ShownAccess: {
      readonly at: string;
      readonly institution: string;
      readonly role: string;
      /** @description As much of the name as policy shows */
      readonly reader: string | null;
      readonly purpose: string | null;
      readonly emergency: boolean;
      /** @enum {string} */
      readonly action: 'read' | 'search' | 'export';
      /** @enum {string} */
      readonly what: 'images' | 'documents' | 'records';
    };
  };
  responses: {
    /** @description It is durable in the journal and will be applied; `status` tells what became of it (operators). */
    readonly Accepted: {
      headers: {
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/json': components['schemas']['Accepted'];
      };
    };
    /** @description The answer to NDJSON, one line for each line sent, in order, and a summary at the end. One bad line harms none. */
    readonly Batch: {
      headers: {
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/x-ndjson': components['schemas']['BatchLine'];
      };
    };
    /** @description The session as it stands now; its cookies come anew with each step */
    readonly Session: {
      headers: {
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/json': components['schemas']['Session'];
      };
    };
    /** @description What went wrong (RFC 9457) */
    readonly Problem: {
      headers: {
        readonly [name: string]: unknown;
      };
      content: {
        readonly 'application/problem+json': components['schemas']['Problem'];
      };
    };
  };
  parameters: {
    readonly Site: string;
    readonly Id: string;
    readonly InstitutionId: components['schemas']['InstitutionCode'];
    /**
     * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
     *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
     */
    readonly IdempotencyKey: string;
    readonly SiteFilter: string;
    readonly Channel: components['schemas']['Channel'];
    /** @description Included */
    readonly From: string;
    /** @description Excluded */
    readonly To: string;
    readonly Limit: number;
    /** @description `next` of the page before */
    readonly After: string;
  };
  requestBodies: {
    readonly Step: {
      readonly content: {
        /**
         * @example {
         *       "step": "approve",
         *       "reason": "执业许可证已核验"
         *     }
         */
        readonly 'application/json': {
          /** @enum {string} */
          readonly step: 'approve' | 'refuse' | 'suspend' | 'resume' | 'leave';
          readonly reason: components['schemas']['Reason'];
        };
      };
    };
    readonly Registration: {
      readonly content: {
        /**
         * @example {
         *       "patientId": "P0001",
         *       "name": "张三",
         *       "sex": "1",
         *       "birthDate": "1980-03-15",
         *       "idType": "01",
         *       "idNumber": "210102198003151239",
         *       "phone": "13800138000"
         *     }
         */
        readonly 'application/json': components['schemas']['Registration'];
        readonly 'application/x-ndjson': string;
      };
    };
    readonly Order: {
      readonly content: {
        /**
         * @example {
         *       "patientId": "P0001",
         *       "orderNumber": "SQ2026112200001",
         *       "accessionNumber": "CT26112200001",
         *       "procedureCode": "CT1002",
         *       "procedureName": "胸部CT平扫",
         *       "modality": "CT",
         *       "bodyPart": "胸部",
         *       "requestingDepartmentCode": "1001",
         *       "requestedAt": "2026-11-22 08:14:07"
         *     }
         */
        readonly 'application/json': components['schemas']['Order'];
        readonly 'application/x-ndjson': string;
      };
    };
    readonly Exam: {
      readonly content: {
        /**
         * @example {
         *       "patientId": "P0001",
         *       "accessionNumber": "CT26112200001",
         *       "studyInstanceUid": "1.2.826.0.1.3680043.9.7133.1.1",
         *       "name": "张三",
         *       "modality": "CT",
         *       "bodyPart": "胸部",
         *       "requestingDepartment": "呼吸内科",
         *       "startedAt": "20261122091500",
         *       "instanceCount": 240
         *     }
         */
        readonly 'application/json': components['schemas']['Exam'];
        readonly 'application/x-ndjson': string;
      };
    };
    readonly ExamVoid: {
      readonly content: {
        /**
         * @example {
         *       "patientId": "P0001",
         *       "accessionNumber": "CT26112200001",
         *       "reason": "重复检查"
         *     }
         */
        readonly 'application/json': components['schemas']['ExamVoid'];
        readonly 'application/x-ndjson': string;
      };
    };
    readonly Report: {
      readonly content: {
        /**
         * @example {
         *       "patientId": "P0001",
         *       "accessionNumber": "CT26112200001",
         *       "reportNumber": "R26112200001",
         *       "status": "F",
         *       "findings": "双肺纹理清晰，未见明确实变影。",
         *       "impression": "胸部CT平扫未见明显异常。",
         *       "reporter": "李医生",
         *       "auditor": "王主任",
         *       "auditedAt": "2026-11-22 10:02:33"
         *     }
         */
        readonly 'application/json': components['schemas']['Report'];
        readonly 'application/x-ndjson': string;
      };
    };
    readonly ReportWithdrawal: {
      readonly content: {
        /**
         * @example {
         *       "patientId": "P0001",
         *       "accessionNumber": "CT26112200001",
         *       "reportNumber": "R26112200001",
         *       "reason": "误发"
         *     }
         */
        readonly 'application/json': components['schemas']['ReportWithdrawal'];
        readonly 'application/x-ndjson': string;
      };
    };
  };
  headers: never;
  pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
  readonly sendRegistration: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: {
        /**
         * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
         *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
         */
        readonly 'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      readonly path: {
        readonly site: components['parameters']['Site'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['Registration'];
    readonly responses: {
      readonly 200: components['responses']['Batch'];
      readonly 202: components['responses']['Accepted'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly sendOrder: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: {
        /**
         * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
         *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
         */
        readonly 'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      readonly path: {
        readonly site: components['parameters']['Site'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['Order'];
    readonly responses: {
      readonly 200: components['responses']['Batch'];
      readonly 202: components['responses']['Accepted'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly sendExam: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: {
        /**
         * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
         *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
         */
        readonly 'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      readonly path: {
        readonly site: components['parameters']['Site'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['Exam'];
    readonly responses: {
      readonly 200: components['responses']['Batch'];
      readonly 202: components['responses']['Accepted'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly voidExam: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: {
        /**
         * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
         *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
         */
        readonly 'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      readonly path: {
        readonly site: components['parameters']['Site'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['ExamVoid'];
    readonly responses: {
      readonly 200: components['responses']['Batch'];
      readonly 202: components['responses']['Accepted'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly sendReport: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: {
        /**
         * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
         *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
         */
        readonly 'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      readonly path: {
        readonly site: components['parameters']['Site'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['Report'];
    readonly responses: {
      readonly 200: components['responses']['Batch'];
      readonly 202: components['responses']['Accepted'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly withdrawReport: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: {
        /**
         * @description The sender's own id of this message. Same key, same bytes: the first answer again. Same key, other bytes: 409.
         *     Absent: the bytes are their own key. Of a batch, each line has the key with its line number.
         */
        readonly 'Idempotency-Key'?: components['parameters']['IdempotencyKey'];
      };
      readonly path: {
        readonly site: components['parameters']['Site'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['ReportWithdrawal'];
    readonly responses: {
      readonly 200: components['responses']['Batch'];
      readonly 202: components['responses']['Accepted'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listSites: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The sites */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Site'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listJournal: {
    readonly parameters: {
      readonly query?: {
        readonly state?: components['schemas']['JournalState'];
        /** @description Only messages with such a finding; identifier-suspect: a resident ID that is not valid, or contradicts sex or birth date */
        readonly finding?: components['schemas']['FindingCode'];
        /** @description The sender's own id of the message, whole */
        readonly controlId?: string;
        /** @description How the type begins */
        readonly messageType?: string;
        /** @description Code of the problem */
        readonly cause?: string;
        /** @description Part of the problem's text */
        readonly text?: string;
        readonly site?: components['parameters']['SiteFilter'];
        readonly channel?: components['parameters']['Channel'];
        /** @description Included */
        readonly from?: components['parameters']['From'];
        /** @description Excluded */
        readonly to?: components['parameters']['To'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['JournalSummary'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly countJournal: {
    readonly parameters: {
      readonly query?: {
        readonly site?: components['parameters']['SiteFilter'];
        readonly channel?: components['parameters']['Channel'];
        /** @description Included */
        readonly from?: components['parameters']['From'];
        /** @description Excluded */
        readonly to?: components['parameters']['To'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The counters */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['JournalCounters'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readJournalEntry: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The entry */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['JournalEntry'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readJournalBytes: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The bytes */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly contentType: string;
            readonly base64: string;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly retryJournalEntry: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The entry */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['JournalEntry'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listReviews: {
    readonly parameters: {
      readonly query?: {
        readonly kind?: components['schemas']['ReviewKind'];
        readonly state?: components['schemas']['ReviewState'];
        /** @description Oldest first, or what cannot wait first */
        readonly order?: 'oldest' | 'urgent';
        readonly site?: components['parameters']['SiteFilter'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Review'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readReview: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The review */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Review'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly retryReview: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The review */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Review'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly dismissReview: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "reason": "重复登记，医院已在源系统合并"
         *     }
         */
        readonly 'application/json': {
          readonly reason: string;
        };
      };
    };
    readonly responses: {
      /** @description The review */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Review'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readReviewSides: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The two sides */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['ReviewSides'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly decideReview: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "decision": "not-same",
         *       "reason": "双胞胎姐妹，家属确认"
         *     }
         */
        readonly 'application/json': {
          /** @enum {string} */
          readonly decision: 'same' | 'not-same';
          readonly reason: components['schemas']['Reason'];
          readonly requestId?: components['schemas']['RequestId'];
        };
      };
    };
    readonly responses: {
      /** @description The review */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Review'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly forecastReviews: {
    readonly parameters: {
      readonly query: {
        /** @description Bits */
        readonly review: number;
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The forecast, from the weights that are kept */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "review": 4,
           *       "link": 10,
           *       "waiting": 312,
           *       "sampledBelow": 3,
           *       "openNow": 355
           *     }
           */
          readonly 'application/json': components['schemas']['Forecast'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readPerson: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The person of today; values are masked for who may not read records */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Person'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly mergePersons: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "with": "5d3c8a52-7f0e-5a44-9c1e-3f6f0f2b7a10",
         *       "reason": "本人持证件到院核实，系同一人",
         *       "requestId": "desk-20261126-7"
         *     }
         */
        readonly 'application/json': {
          readonly with: components['schemas']['HubId'];
          readonly reason: components['schemas']['Reason'];
          readonly requestId?: components['schemas']['RequestId'];
        };
      };
    };
    readonly responses: {
      /** @description The decision, and the persons that the registrations concerned are now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "decision": {
           *         "decisionId": "42",
           *         "kind": "merge",
           *         "at": "2026-11-26T02:10:00.000Z",
           *         "by": "index desk",
           *         "reason": "本人持证件到院核实，系同一人",
           *         "undoes": null,
           *         "undoneBy": null,
           *         "records": [
           *           "0b6d2c1e-94f3-5d0a-8e7b-2a9c4f1d6e35",
           *           "7c1f5b60-2e58-5b7c-9d43-51f0a7be9c02"
           *         ]
           *       },
           *       "persons": [
           *         "5d3c8a52-7f0e-5a44-9c1e-3f6f0f2b7a10"
           *       ]
           *     }
           */
          readonly 'application/json': components['schemas']['Decided'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly splitPerson: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "records": [
         *         "0b6d2c1e-94f3-5d0a-8e7b-2a9c4f1d6e35"
         *       ],
         *       "reason": "同名同日生的两人",
         *       "requestId": "desk-20261126-8"
         *     }
         */
        readonly 'application/json': {
          readonly records: readonly components['schemas']['HubId'][];
          readonly reason: components['schemas']['Reason'];
          readonly requestId?: components['schemas']['RequestId'];
        };
      };
    };
    readonly responses: {
      /** @description The decision, and the persons that the registrations concerned are now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "decision": {
           *         "decisionId": "42",
           *         "kind": "merge",
           *         "at": "2026-11-26T02:10:00.000Z",
           *         "by": "index desk",
           *         "reason": "本人持证件到院核实，系同一人",
           *         "undoes": null,
           *         "undoneBy": null,
           *         "records": [
           *           "0b6d2c1e-94f3-5d0a-8e7b-2a9c4f1d6e35",
           *           "7c1f5b60-2e58-5b7c-9d43-51f0a7be9c02"
           *         ]
           *       },
           *       "persons": [
           *         "5d3c8a52-7f0e-5a44-9c1e-3f6f0f2b7a10"
           *       ]
           *     }
           */
          readonly 'application/json': components['schemas']['Decided'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly undoDecision: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "decisionId": "42",
         *       "reason": "家属更正，系另一人"
         *     }
         */
        readonly 'application/json': {
          readonly decisionId: string;
          readonly reason: components['schemas']['Reason'];
          readonly requestId?: components['schemas']['RequestId'];
        };
      };
    };
    readonly responses: {
      /** @description The decision, and the persons that the registrations concerned are now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          /**
           * @example {
           *       "decision": {
           *         "decisionId": "42",
           *         "kind": "merge",
           *         "at": "2026-11-26T02:10:00.000Z",
           *         "by": "index desk",
           *         "reason": "本人持证件到院核实，系同一人",
           *         "undoes": null,
           *         "undoneBy": null,
           *         "records": [
           *           "0b6d2c1e-94f3-5d0a-8e7b-2a9c4f1d6e35",
           *           "7c1f5b60-2e58-5b7c-9d43-51f0a7be9c02"
           *         ]
           *       },
           *       "persons": [
           *         "5d3c8a52-7f0e-5a44-9c1e-3f6f0f2b7a10"
           *       ]
           *     }
           */
          readonly 'application/json': components['schemas']['Decided'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readMatchRules: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The rules */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['MatchRulesInForce'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readRematch: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The rematch */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Rematch'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly startRematch: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "version": "2026-12",
         *       "thresholds": {
         *         "link": 12,
         *         "review": 4
         *       }
         *     }
         */
        readonly 'application/json': {
          /** @description New; required with any other member */
          readonly version?: string;
          readonly prior?: number;
          readonly householdCap?: number;
          readonly thresholds?: {
            readonly link: number;
            readonly review: number;
          };
          readonly odds?: {
            readonly [key: string]: {
              readonly [key: string]: {
                readonly m: number;
                readonly u: number;
              };
            };
          };
        };
      };
    };
    readonly responses: {
      /** @description The rematch */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Rematch'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly activateRematch: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The rematch */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Rematch'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly cancelRematch: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The rematch */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Rematch'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listOrphans: {
    readonly parameters: {
      readonly query?: {
        readonly kind?: components['schemas']['OrphanKind'];
        readonly site?: components['parameters']['SiteFilter'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Orphan'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly searchExams: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly identifier: {
            /** @description OID of the assigning authority; absent: the value is a resident ID (身份证号) */
            readonly authority?: string;
            readonly value: string;
          };
          /** @default 20 */
          readonly limit?: number;
          readonly after?: string;
        };
      };
    };
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['ExamRecord'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readExam: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The exam */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['ExamRecord'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readSession: {
    readonly parameters: {
      readonly query?: {
        /** @description The person acted on a page since it last asked: that is a use of the session */
        readonly used?: boolean;
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      readonly 200: components['responses']['Session'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly signIn: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "loginName": "security",
         *       "password": "Not-a-real-one-2026"
         *     }
         */
        readonly 'application/json': {
          readonly loginName: string;
          readonly password: string;
        };
      };
    };
    readonly responses: {
      readonly 200: components['responses']['Session'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly endSession: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The session has ended */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly signOutUrl: string | null;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly changeSession: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "role": "physician",
         *       "purpose": "TREATMENT"
         *     }
         */
        readonly 'application/json': {
          readonly role?: components['schemas']['PersonRole'];
          readonly purpose?: components['schemas']['Purpose'];
          /** @enum {string} */
          readonly language?: 'zh' | 'en';
        };
      };
    };
    readonly responses: {
      readonly 200: components['responses']['Session'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly activateAccount: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly loginName: string;
          readonly code: string;
          /** @description The other half, where two administrators gave one each */
          readonly secondCode?: string;
          readonly password: string;
        };
      };
    };
    readonly responses: {
      readonly 200: components['responses']['Session'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly enrolSecondFactor: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The secret, shown now only */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            /** @description Base 32 */
            readonly secret: string;
            /** @description otpauth: for a QR code */
            readonly uri: string;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly enterCode: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "code": "123456"
         *     }
         */
        readonly 'application/json': {
          readonly code: string;
        };
      };
    };
    readonly responses: {
      readonly 200: components['responses']['Session'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly changePassword: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly current: string;
          readonly next: string;
        };
      };
    };
    readonly responses: {
      readonly 200: components['responses']['Session'];
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listIdentityProviders: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description In the order of the configuration */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly {
              readonly id: string;
              /** @description Patients sign in there; the others are of hospitals */
              readonly citizens: boolean;
              readonly name: string;
              readonly nameEn?: string;
              /** @description Where the browser goes; takes `return`, a path of the hub */
              readonly loginUrl: string;
            }[];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAccounts: {
    readonly parameters: {
      readonly query?: {
        readonly state?: components['schemas']['AccountState'];
        readonly role?: components['schemas']['PersonRole'];
        readonly institution?: string;
        /** @description Not used for so many days */
        readonly unusedDays?: number;
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Account'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly createAccount: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "loginName": "security",
         *       "displayName": "安全管理员",
         *       "roles": [
         *         {
         *           "role": "security-administrator"
         *         }
         *       ]
         *     }
         */
        readonly 'application/json': {
          readonly loginName: string;
          readonly displayName: components['schemas']['ShownName'];
          /** @description Institution code */
          readonly institution?: string;
          readonly department?: string;
          readonly practitionerId?: string;
          /** @enum {string} */
          readonly language?: 'zh' | 'en';
          readonly roles: readonly components['schemas']['AccountRole'][];
        };
      };
    };
    readonly responses: {
      /** @description The account, and the code by which the person chooses a password */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['InvitedAccount'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readAccount: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The account */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Account'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly endAccount: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The account */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Account'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly changeAccount: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "state": "suspended",
         *       "reason": "离职"
         *     }
         */
        readonly 'application/json': {
          readonly displayName?: components['schemas']['ShownName'];
          readonly institution?: string | null;
          readonly department?: string | null;
          readonly practitionerId?: string | null;
          /** @enum {string} */
          readonly language?: 'zh' | 'en';
          readonly roles?: readonly components['schemas']['AccountRole'][];
          /** @enum {string} */
          readonly state?: 'active' | 'suspended';
          readonly reason?: string;
        };
      };
    };
    readonly responses: {
      /** @description The account */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Account'];
        };
      };
      /** @description It waits for a second administrator; nothing has changed yet */
      readonly 202: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['AskedApproval'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly resetAccount: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The account, and its new code */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['InvitedAccount'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly endSessions: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description How many there were */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly ended: number;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listReportRevisions: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The versions; none where the exam was never reported */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['ReportRevision'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readExamProvenance: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The hops */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Hop'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listPriors: {
    readonly parameters: {
      readonly query?: {
        readonly limit?: components['parameters']['Limit'];
      };
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The exams, of every hospital */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Prior'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly searchPersons: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "name": "张三",
         *       "birthDate": "1980-03-15"
         *     }
         */
        readonly 'application/json': components['schemas']['PersonQuestion'];
      };
    };
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['PersonFound'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readTimeline: {
    readonly parameters: {
      readonly query?: {
        readonly modality?: string;
        readonly region?: components['schemas']['BodyRegion'];
        readonly site?: components['parameters']['SiteFilter'];
        /** @description Included */
        readonly from?: components['parameters']['From'];
        /** @description Excluded */
        readonly to?: components['parameters']['To'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page, with how many exams each filter would show */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly person: components['schemas']['PersonHeader'];
            readonly items: readonly components['schemas']['TimelineExam'][];
            readonly next: components['schemas']['Next'];
            /** @description Of what the filters show */
            readonly total: number;
            readonly facets: {
              readonly modalities: readonly components['schemas']['Facet'][];
              readonly regions: readonly components['schemas']['Facet'][];
              readonly sites: readonly components['schemas']['Facet'][];
            };
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listApprovals: {
    readonly parameters: {
      readonly query?: {
        readonly state?: components['schemas']['ApprovalState'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Approval'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly decideApproval: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "decision": "approve"
         *     }
         */
        readonly 'application/json': {
          /** @enum {string} */
          readonly decision: 'approve' | 'refuse';
          /** @description Required to refuse */
          readonly reason?: string;
        };
      };
    };
    readonly responses: {
      /** @description The request, decided */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Approval'] & {
            /** @description Of an activation code, sent as `secondCode`; of a token, which is `<first>.<second>`; null: no secret is needed */
            readonly secondHalf: string | null;
            readonly activationUntil: string | null;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listClients: {
    readonly parameters: {
      readonly query?: {
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Client'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly createClient: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "name": "省一院 RIS",
         *       "role": "hospital-feed",
         *       "site": "h1"
         *     }
         */
        readonly 'application/json': {
          readonly name: components['schemas']['ShownName'];
          readonly role: components['schemas']['Role'];
          /** @description Required for hospital-feed */
          readonly site?: string;
          /** @description SHA-256 fingerprint of a client certificate by which it may call over TLS, beside its token */
          readonly certificate?: string;
          /** @description Public keys by which it gets short tokens at /oauth/token (SMART Backend Services): RSA of 2048 bits for RS384, EC P-384 for ES384, each with a kid */
          readonly jwks?: {
            readonly keys: readonly Record<string, never>[];
          };
        };
      };
    };
    readonly responses: {
      /** @description The client and its token */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Client'] & {
            /** @description null: it waits for approval */
            readonly token: string | null;
            readonly approval: components['schemas']['AskedApproval'] | null;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly revokeClient: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The client, revoked */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Client'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly letClientRecordConsents: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "granted": true,
         *       "reason": "省一院门诊授权台已验收"
         *     }
         */
        readonly 'application/json': {
          readonly granted: boolean;
          readonly reason: string;
        };
      };
    };
    readonly responses: {
      /** @description The client */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Client'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAudit: {
    readonly parameters: {
      readonly query?: {
        /** @description Included */
        readonly from?: components['parameters']['From'];
        /** @description Excluded */
        readonly to?: components['parameters']['To'];
        readonly action?:
          'read' | 'search' | 'export' | 'feed' | 'change' | 'refuse' | 'administer' | 'sign-on' | 'sign-out';
        readonly outcome?: 'success' | 'refused' | 'failure';
        readonly callerId?: string;
        /** @description A hub person id */
        readonly personId?: string;
        readonly face?: string;
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['AuditEntry'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listInstitutions: {
    readonly parameters: {
      readonly query?: {
        readonly state?: components['schemas']['Standing'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Institution'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly applyInstitution: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "code": "12100000400003456N",
         *       "nameZh": "省第四医院",
         *       "kind": "hospital",
         *       "licence": "45678901221010311A1001",
         *       "sites": []
         *     }
         */
        readonly 'application/json': components['schemas']['InstitutionApplication'];
      };
    };
    readonly responses: {
      /** @description Applied */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Institution'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readInstitution: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['InstitutionId'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The institution */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly institution: components['schemas']['Institution'];
            readonly history: readonly components['schemas']['StandingEntry'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly stepInstitution: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['InstitutionId'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['Step'];
    readonly responses: {
      /** @description As it stands now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Institution'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listConsortia: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description All of them */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Consortium'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly createConsortium: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['ConsortiumTerms'];
      };
    };
    readonly responses: {
      /** @description Founded */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Consortium'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly updateConsortium: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['ConsortiumTerms'];
      };
    };
    readonly responses: {
      /** @description As it stands now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Consortium'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listPractitioners: {
    readonly parameters: {
      readonly query?: {
        readonly institution?: components['schemas']['InstitutionCode'];
        readonly state?: components['schemas']['Standing'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Practitioner'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly applyPractitioner: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "institution": "12100000400003456N",
         *       "licence": "110210000012345",
         *       "name": "李医生",
         *       "department": "放射科",
         *       "title": "主治医师"
         *     }
         */
        readonly 'application/json': components['schemas']['PractitionerApplication'];
      };
    };
    readonly responses: {
      /** @description Applied */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Practitioner'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readPractitioner: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The doctor */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly practitioner: components['schemas']['Practitioner'];
            readonly history: readonly components['schemas']['StandingEntry'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly stepPractitioner: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: components['requestBodies']['Step'];
    readonly responses: {
      /** @description As it stands now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Practitioner'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly recordConsent: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "personId": "0d3f1c9e-1111-8111-8111-0123456789ab",
         *       "form": "urn:hutong:consent-form:2026-1",
         *       "rules": [
         *         {
         *           "effect": "deny"
         *         },
         *         {
         *           "effect": "permit",
         *           "recipients": [
         *             "12100000400003456N"
         *           ],
         *           "purposes": [
         *             "TREATMENT"
         *           ],
         *           "exceptionOf": 0
         *         }
         *       ]
         *     }
         */
        readonly 'application/json': components['schemas']['ConsentTerms'];
      };
    };
    readonly responses: {
      /** @description Recorded */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Consent'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readConsent: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The consent */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Consent'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly withdrawConsent: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly reason?: string;
          /** @description The version that was looked at; another is current: 412 */
          readonly version?: number;
        };
      };
    };
    readonly responses: {
      /** @description Withdrawn */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Consent'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listConsents: {
    readonly parameters: {
      readonly query?: {
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page of those that the caller may see */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Consent'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listPatientNotices: {
    readonly parameters: {
      readonly query?: {
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['PatientNotice'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly issuePresentCode: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': components['schemas']['PresentCodeRequest'];
      };
    };
    readonly responses: {
      /** @description The code; only its hash is kept */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly codeId: string;
            /** @description Content of the QR code, or eight digits */
            readonly code: string;
            readonly expiresAt: string;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly redeemPresentCode: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly code: string;
          readonly personId?: components['schemas']['HubId'];
        };
      };
    };
    readonly responses: {
      /** @description The consent */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Consent'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listBreakGlass: {
    readonly parameters: {
      readonly query?: {
        readonly state?: 'open' | 'overdue' | 'reviewed';
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['BreakGlass'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly breakGlass: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "personId": "0d3f1c9e-1111-8111-8111-0123456789ab",
         *       "reason": "unconscious",
         *       "text": "昏迷送入急诊，需既往影像"
         *     }
         */
        readonly 'application/json': {
          readonly personId: components['schemas']['HubId'];
          readonly reason: components['schemas']['BreakGlassReason'];
          readonly text: string;
          /** @default 4 */
          readonly hours?: number;
        };
      };
    };
    readonly responses: {
      /** @description A grant stands already */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['BreakGlass'];
        };
      };
      /** @description Granted */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['BreakGlass'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readBreakGlass: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The case */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['BreakGlass'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly endBreakGlass: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description Ended */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['BreakGlass'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly reviewBreakGlass: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          /** @enum {string} */
          readonly outcome: 'justified' | 'unjustified';
          readonly note: string;
        };
      };
    };
    readonly responses: {
      /** @description Reviewed */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['BreakGlass'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listOwnBreakGlass: {
    readonly parameters: {
      readonly query?: {
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['BreakGlass'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAccessReasons: {
    readonly parameters: {
      readonly query?: {
        readonly accountId?: string;
        readonly personId?: string;
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['AccessReason'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly giveAccessReason: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly personId?: components['schemas']['HubId'];
          readonly examId?: components['schemas']['HubId'];
          readonly purpose: components['schemas']['Purpose'];
          readonly text: string;
        };
      };
    };
    readonly responses: {
      /** @description Recorded */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['AccessReason'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAccountFlags: {
    readonly parameters: {
      readonly query?: {
        readonly state?: 'open' | 'closed';
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['AccountFlag'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly closeAccountFlag: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "note": "已约谈，属实为会诊"
         *     }
         */
        readonly 'application/json': {
          readonly note: components['schemas']['Reason'];
        };
      };
    };
    readonly responses: {
      /** @description Closed */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['AccountFlag'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listOwnFlags: {
    readonly parameters: {
      readonly query?: {
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['OwnFlag'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly explainFlag: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        readonly 'application/json': {
          readonly text: string;
        };
      };
    };
    readonly responses: {
      /** @description Explained */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['OwnFlag'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readWorklist: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description Counts */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Worklist'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listSensitivityRules: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description All of them */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['SensitivityRule'][];
            readonly sweep: {
              readonly beganAt: string;
              /** @description null: older exams are still being labelled */
              readonly endedAt: string | null;
              readonly exams: number;
            };
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly addSensitivityRule: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "field": "requestingDepartment",
         *       "code": "1401",
         *       "label": "psychiatry",
         *       "reason": "精神科检查"
         *     }
         */
        readonly 'application/json': components['schemas']['SensitivityRuleTerms'];
      };
    };
    readonly responses: {
      /** @description The rule */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['SensitivityRule'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly removeSensitivityRule: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description It is gone */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['SensitivityRule'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readExamLabels: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description Labels */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['ExamLabels'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly setExamLabels: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "labels": [
         *         "vip"
         *       ],
         *       "reason": "保健对象"
         *     }
         */
        readonly 'application/json': {
          readonly labels: readonly components['schemas']['Sensitivity'][];
          readonly reason: components['schemas']['Reason'];
        };
      };
    };
    readonly responses: {
      /** @description Labels as they stand now */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['ExamLabels'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readChannels: {
    readonly parameters: {
      readonly query?: {
        readonly site?: components['parameters']['SiteFilter'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The state */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['ChannelBoard'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readIntake: {
    readonly parameters: {
      readonly query: {
        /** @description Included */
        readonly from: string;
        /** @description Excluded; at most 92 days after */
        readonly to: string;
        readonly site?: components['parameters']['SiteFilter'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The figures */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['IntakeOverTime'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readCompleteness: {
    readonly parameters: {
      readonly query: {
        /** @description Included */
        readonly from: string;
        /** @description Excluded; at most 92 days after */
        readonly to: string;
        readonly site?: components['parameters']['SiteFilter'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The figures */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Completeness'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readJournalDecoded: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The message */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['DecodedMessage'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly unmaskJournalEntry: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "reason": "核对姓名编码"
         *     }
         */
        readonly 'application/json': {
          readonly reason: components['schemas']['Reason'];
        };
      };
    };
    readonly responses: {
      /** @description The message */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['DecodedMessage'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly previewReplay: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "mapping": {
         *         "site": "h1",
         *         "table": "procedure",
         *         "source": "CT1099",
         *         "code": "CT-CHEST-P"
         *       }
         *     }
         */
        readonly 'application/json': {
          /**
           * @default replay
           * @enum {string}
           */
          readonly kind?: 'retry' | 'replay';
          readonly journalIds?: components['schemas']['JournalIds'];
          readonly filter?: components['schemas']['WorkFilter'];
          readonly mapping?: components['schemas']['MappingTried'];
          readonly without?: components['schemas']['DecimalId'];
          /** @default 20 */
          readonly limit?: number;
        };
      };
    };
    readonly responses: {
      /** @description What would change */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['ReplayPreview'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listReplays: {
    readonly parameters: {
      readonly query?: {
        readonly site?: components['parameters']['SiteFilter'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Replay'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly startReplay: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "kind": "replay",
         *       "mappingId": "7",
         *       "reason": "补对照后重放"
         *     }
         */
        readonly 'application/json': {
          /** @enum {string} */
          readonly kind: 'retry' | 'replay';
          readonly journalIds?: components['schemas']['JournalIds'];
          readonly filter?: components['schemas']['WorkFilter'];
          readonly mappingId?: components['schemas']['DecimalId'];
          readonly reason: components['schemas']['Reason'];
        };
      };
    };
    readonly responses: {
      /** @description The work and how far it is */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Replay'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly readReplay: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The work and how far it is */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Replay'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly cancelReplay: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The work and how far it is */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['Replay'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listUnmappedCodes: {
    readonly parameters: {
      readonly query?: {
        readonly site?: components['parameters']['SiteFilter'];
        readonly table?: components['schemas']['CodeTableName'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['UnmappedCode'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly searchCodes: {
    readonly parameters: {
      readonly query: {
        readonly table: components['schemas']['CodeTableName'];
        readonly text?: string;
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description At most 50 */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['Coded'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listMappings: {
    readonly parameters: {
      readonly query?: {
        readonly site?: components['parameters']['SiteFilter'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['CodeMapping'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly addMapping: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "site": "h1",
         *       "table": "procedure",
         *       "source": "CT1099",
         *       "code": "CT-CHEST-P",
         *       "display": "胸部CT平扫",
         *       "reason": "与信息科核对"
         *     }
         */
        readonly 'application/json': {
          readonly site: string;
          readonly table: components['schemas']['CodeTableName'];
          readonly source: string;
          readonly sourceDisplay?: string;
          readonly code: string;
          readonly display?: string;
          readonly reason: components['schemas']['Reason'];
        };
      };
    };
    readonly responses: {
      /** @description The mapping, and how many entries it concerns */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['MappingMade'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly undoMapping: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "reason": "核对姓名编码"
         *     }
         */
        readonly 'application/json': {
          readonly reason: components['schemas']['Reason'];
        };
      };
    };
    readonly responses: {
      /** @description The mapping, and how many entries it concerns */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['MappingMade'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly launchViewer: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "studyUid": "2.25.1",
         *       "user": {
         *         "id": "D0012",
         *         "name": "李医生"
         *       }
         *     }
         */
        readonly 'application/json': {
          /** @description Of the hub; this or studyUid */
          readonly examId?: string;
          readonly studyUid?: string;
          readonly user?: {
            /** @description In the calling system */
            readonly id: string;
            readonly name: components['schemas']['ShownName'] & unknown;
            readonly organization?: string;
          };
        };
      };
    };
    readonly responses: {
      /** @description Where to send the browser, and until when */
      readonly 201: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            /** @description A path of the hub */
            readonly url: string;
            /** Format: date-time */
            readonly expiresAt: string;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly showAuditProof: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description The newest proof and the runs before it */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['AuditProof'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly proveAudit: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description It runs; GET tells what came of it */
      readonly 202: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly id: string;
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAuditAnchors: {
    readonly parameters: {
      readonly query?: {
        /** @description Number of the anchor before */
        readonly after?: number;
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description Anchors */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['AuditAnchor'][];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAuditFlags: {
    readonly parameters: {
      readonly query?: {
        readonly state?: 'open' | 'closed';
        readonly rule?: string;
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path?: never;
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['AuditFlag'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly takeAuditFlag: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description Taken up */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['AuditFlag'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly closeAuditFlag: {
    readonly parameters: {
      readonly query?: never;
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody: {
      readonly content: {
        /**
         * @example {
         *       "verdict": "proper",
         *       "reason": "会诊前查阅"
         *     }
         */
        readonly 'application/json': {
          /** @enum {string} */
          readonly verdict: 'proper' | 'improper' | 'unclear';
          readonly reason?: string;
        };
      };
    };
    readonly responses: {
      /** @description The flag, closed */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': components['schemas']['AuditFlag'];
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
  readonly listAccesses: {
    readonly parameters: {
      readonly query?: {
        /** @description Included */
        readonly from?: components['parameters']['From'];
        /** @description Excluded */
        readonly to?: components['parameters']['To'];
        readonly limit?: components['parameters']['Limit'];
        /** @description `next` of the page before */
        readonly after?: components['parameters']['After'];
      };
      readonly header?: never;
      readonly path: {
        readonly id: components['parameters']['Id'];
      };
      readonly cookie?: never;
    };
    readonly requestBody?: never;
    readonly responses: {
      /** @description One page */
      readonly 200: {
        headers: {
          readonly [name: string]: unknown;
        };
        content: {
          readonly 'application/json': {
            readonly items: readonly components['schemas']['ShownAccess'][];
            readonly next: components['schemas']['Next'];
          };
        };
      };
      readonly default: components['responses']['Problem'];
    };
  };
}

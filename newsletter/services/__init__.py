"""What the service does, one class for each job, in the order of the road.

A service reads from the stores, lets `newsletter.core` decide, and stores the result. It uses
stores and other services by their classes; what it needs of the world it takes by a port
(`newsletter.ports`). `newsletter.container` puts them together.

1. **receive, verify** `polling.Polling` fetches from sources and `intake.Intake` puts each brief
   through the gate (`core.verification`).
2. **assemble, set, approve** `publishing.Publishing`; `preview.Previews` shows the letter before.
3. **plan** `planning.Planning` stores who gets which edition in which batch and queues the batches;
   `send_checks.SendChecks` says what stands in the way.
4. **claim, send, record** `sending.Sending`, the worker's loop; `sending_limits.SendingLimits`
   pauses and cancels.
5. **receive events** `event_intake.EventIntake`; `unsubscribe_mail.UnsubscribeByMail` and
   `suppression_sync.SuppressionSync` besides.
6. **reconcile** `reconciliation.Reconciling` finds out about unknown batches, and
   `recovery.Recovery` takes up what dead workers left.
7. **explain** `explain.Explaining` says why someone did or did not get an issue.

Beside the road: `schedule.ScheduleRunner` does all this when it is due, called by
`newsletter.scheduler`; `alerting.Alerting` sends operator alerts. For readers there are
`signup.SigningUp`, `transactional.TransactionalSender` (emails to one person, whose contents
`transactional_context.TransactionalContexts` looks up) and `sunset.Sunset`; for operators
`people.People`, `list_health.ListHealthReports` and `retention.Retention`. The lists themselves
are maintained by the services of the package `subscribers`.

Where a new one goes (step by step in `docs/contributing/`):

- a **check** of briefs: a function with `@check` in `core/verification.py`;
- a **kind of source**: `SourceKind` in `core/source.py`, its reader in a module of
  `adapters/sources/`, and a row in `adapters/sources/kinds.py`;
- a **page**: routes in a module of `web/public/`, which `ROUTERS` in `web/app.py` lists, and a
  template in `templates/pages/`;
- a **word of SendGrid's for an event**: `EventKind` and `CONSEQUENCES` in `core/events.py`, and the
  word in `adapters/sendgrid/webhook.py`;
- a **column of a subscription**: `subscribers/db/tables.py`, a migration, `Subscription` in
  `subscribers/model.py`, and `subscribers/subscriptions/reading.py` if it must be translated;
- a **topic**: the newsletter's file in `config/newsletters/`, no code;
- an **operator alert**: `OperatorAlertKind` in `core/operator_alert.py`, with its advice, and
  `ScheduleStore.queue_alert` where it is noticed.
"""

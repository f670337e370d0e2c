"""What the service does, one class for each job, in the order of the work.

A service reads from the stores, lets `newsletter.core` decide, and stores the result. It uses
stores and other services by their classes; what it needs of the world it takes by a port
(`newsletter.ports`). `newsletter.container` puts them together.

1. **receive, verify** `polling.Polling` fetches from sources and `intake.Intake` puts each brief
   through the gate (`core.verification`).
2. **assemble, set, approve** `publishing.Publishing`, with `approval.Approvals`; `editing.Editing`
   changes a draft; `preview.Previews` shows the letter before, `forecast.Forecasts` says who would
   get it, `preflight.Preflight` what is in its way (its links are checked by
   `link_checks.LinkChecks`), and `staff_letters.StaffLetters` sends it to staff;
   `approval_letters.ApprovalLetters` tells staff whose turn it is with a draft.
3. **plan** `planning.Planning` stores who gets which edition in which batch and queues the batches;
   `planning.SendChecks` says what stands in the way.
4. **claim, send, record** `sending.Sending`, the worker's loop; `sending_limits.SendingLimits`
   pauses and cancels.
5. **receive events** `event_intake.EventIntake`; `unsubscribe_mail.UnsubscribeByMail` and
   `suppression_sync.SuppressionSync` besides.
6. **reconcile** `reconciliation.Reconciling` finds out about unknown batches, and
   `sending.Recovery` takes up what dead workers left.
7. **explain** `explain.Explaining` says why someone did or did not get an issue;
   `figures.IssueFigures` how far it has come, `results.Results` what became of its letters, and
   `issue_people.IssuePeople` who is behind each number.

`webhooks.Webhooks` keeps the addresses of other programs, and `webhook_sending.WebhookSending`
posts to them what the database recorded as it happened.

Besides these, `schedule.ScheduleRunner` does all this when it is due, called by
`newsletter.scheduler`; `alerting.Alerting` sends each operator alert through every channel, and
raises those about unknown batches and sources that cannot be read; a person takes one of
`operator_alerts.OperatorAlerts`, and skips a day by `skipped_days.SkippedDays`. For readers there
are `signup.SigningUp`, `transactional.TransactionalSender` (emails to one person, whose contents
`transactional_context.TransactionalContexts` looks up) and `sunset.Sunset`, which asks inactive
readers whether they still want letters; for operators `people.People`,
`list_health.ListHealthReports`, `list_changes.ListChanges` and `retention.Retention`. Subscribers,
subscriptions and their tables belong to the package `subscribers`.

Before going live: `settings_checks.SettingsChecks` says what can be known here, `doctor.Doctor`
asks everybody else, `setup_examination.SetupExamination` does both (side by side, by
`setup_checks`), and `setup_reports.SetupReports` stores the last report for the console;
`setup_letters.SetupLetters` tries a letter.

Programs show a token of `api_tokens.ApiTokens`; what they send twice under one key is done once by
`repeated_requests.RepeatedRequests`.

Where a new check, source, page, event, column or alert goes: `docs/contributing/`.
"""

"""What each named person meets at each address of the site, by method.

A line is a method, an address pattern as the resolver knows it, sometimes a ~case (another record for its arguments: a ticket of
the restricted team, a closed one), and the status for: nobody signed in, Rita (requester), Alan (agent of the ticket's team), Olga
(agent of another team), Ana (analyst), Mona (manager), Audrey (auditor), Adam (administrator). tests/access_bodies.py has what is sent.

A new address gets its line here. To a stranger a page answers 302 (sign in), REST 401; what one may not see is 404; what one may
see but not do is 403.
"""

TABLE = """
# method, address, ~case                                                     anon  rita  alan  olga  ana  mona  audr  adam
GET    /                                                                     302  302  302  302  302  302  302  302
GET    ^api(?:/.*)?$                                                         404  404  404  404  404  404  404  404
POST   ^api(?:/.*)?$                                                         404  404  404  404  404  404  404  404
PUT    ^api(?:/.*)?$                                                         404  404  404  404  404  404  404  404
PATCH  ^api(?:/.*)?$                                                         404  404  404  404  404  404  404  404
DELETE ^api(?:/.*)?$                                                         404  404  404  404  404  404  404  404
GET    api/v1/                                                               200  200  200  200  200  200  200  200
GET    api/v1/changes                                                        401  403  200  200  200  200  200  200
POST   api/v1/changes                                                        401  403  201  201  201  201  403  201
GET    api/v1/changes/<reference>                                            401  404  200  200  200  200  200  200
PATCH  api/v1/changes/<reference>                                            401  404  200  403  200  200  403  200
POST   api/v1/changes/<reference>/transition                                 401  404  200  403  200  200  403  200
GET    api/v1/candidates                                                     401  403  200  200  200  200  200  200
GET    api/v1/candidates/<number>                                            401  403  200  200  200  200  200  200
POST   api/v1/candidates/<number>/dismiss                                    401  403  403  403  200  200  403  200
POST   api/v1/candidates/<number>/problem                                    401  403  403  403  201  201  403  201
POST   api/v1/candidates/<number>/restore                                    401  403  403  403  409  409  403  409
POST   api/v1/candidates/look                                                401  403  403  403  202  202  403  202
GET    api/v1/cis                                                            401  403  200  200  200  200  200  200
POST   api/v1/cis                                                            401  403  403  403  201  403  403  201
GET    api/v1/cis/<number>                                                   401  404  200  200  200  200  200  200
PATCH  api/v1/cis/<number>                                                   401  404  403  403  200  403  403  200
GET    api/v1/cis/<number>/impact                                            401  404  200  200  200  200  200  200
GET    api/v1/cis/<number>/relationships                                     401  404  200  200  200  200  200  200
POST   api/v1/cis/<number>/relationships                                     401  404  403  403  201  403  403  201
DELETE api/v1/cis/<number>/relationships/<relationship>                      401  404  403  403  204  403  403  204
GET    api/v1/docs                                                           200  200  200  200  200  200  200  200
GET    api/v1/escalations                                                    401  403  200  200  200  200  200  200
POST   api/v1/escalations/<number>/acknowledge                               401  404  404  404  404  404  404  404
GET    api/v1/journal                                                        401  403  403  403  403  200  200  200
GET    api/v1/journal/<kind>/<number>                                        401  200  200  200  200  200  200  200
GET    api/v1/journal/<kind>/<number> ~restricted                            401  404  404  404  404  200  200  200
GET    api/v1/me                                                             401  200  200  200  200  200  200  200
GET    api/v1/notifications                                                  401  200  200  200  200  200  200  200
POST   api/v1/notifications/<number>/read                                    401  200  404  404  404  404  404  404
POST   api/v1/notifications/read                                             401  200  200  200  200  200  200  200
GET    api/v1/openapi.json                                                   200  200  200  200  200  200  200  200
GET    api/v1/people                                                         401  403  200  200  200  200  200  200
GET    api/v1/people/<number>                                                401  200  200  200  200  200  200  200
GET    api/v1/priority-matrix                                                401  200  200  200  200  200  200  200
PUT    api/v1/priority-matrix                                                401  403  403  403  403  403  403  200
GET    api/v1/problem-records                                                401  403  200  200  200  200  200  200
POST   api/v1/problem-records                                                401  403  403  403  201  201  403  201
GET    api/v1/problem-records/<reference>                                    401  404  200  200  200  200  200  200
PATCH  api/v1/problem-records/<reference>                                    401  404  200  403  200  200  403  200
GET    api/v1/problem-records/<reference>/evidence                           401  404  200  200  200  200  200  200
POST   api/v1/problem-records/<reference>/known-error                        401  404  200  403  200  200  403  200
POST   api/v1/problem-records/<reference>/transition                         401  404  200  403  200  200  403  200
GET    api/v1/problems                                                       200  200  200  200  200  200  200  200
GET    api/v1/services                                                       401  200  200  200  200  200  200  200
POST   api/v1/services                                                       401  403  403  403  201  403  403  201
GET    api/v1/services/<number>                                              401  200  200  200  200  200  200  200
PATCH  api/v1/services/<number>                                              401  403  403  403  200  403  403  200
GET    api/v1/teams                                                          401  403  200  200  200  200  200  200
GET    api/v1/teams/<number>                                                 401  404  200  200  200  200  200  200
GET    api/v1/tickets                                                        401  200  200  200  200  200  200  200
POST   api/v1/tickets                                                        401  201  201  201  201  201  403  201
GET    api/v1/tickets/<reference>                                            401  200  200  200  200  200  200  200
PATCH  api/v1/tickets/<reference>                                            401  403  200  403  200  200  403  200
GET    api/v1/tickets/<reference> ~restricted                                401  404  404  404  404  200  200  200
PATCH  api/v1/tickets/<reference> ~restricted                                401  404  404  404  404  200  403  200
GET    api/v1/tickets/<reference>/attachments                                401  200  200  200  200  200  200  200
POST   api/v1/tickets/<reference>/attachments                                401  201  201  201  201  201  403  201
GET    api/v1/tickets/<reference>/attachments ~restricted                    401  404  404  404  404  200  200  200
POST   api/v1/tickets/<reference>/attachments ~restricted                    401  404  404  404  404  201  403  201
GET    api/v1/tickets/<reference>/attachments/<number>                       401  200  200  200  200  200  200  200
DELETE api/v1/tickets/<reference>/attachments/<number>                       401  403  204  403  204  204  403  204
GET    api/v1/tickets/<reference>/attachments/<number> ~restricted           401  404  404  404  404  200  200  200
DELETE api/v1/tickets/<reference>/attachments/<number> ~restricted           401  404  404  404  404  204  403  204
GET    api/v1/tickets/<reference>/clocks                                     401  403  200  200  200  200  200  200
GET    api/v1/tickets/<reference>/clocks ~restricted                         401  403  404  404  404  200  200  200
GET    api/v1/tickets/<reference>/comments                                   401  200  200  200  200  200  200  200
POST   api/v1/tickets/<reference>/comments                                   401  201  201  201  201  201  403  201
GET    api/v1/tickets/<reference>/comments ~restricted                       401  404  404  404  404  200  200  200
POST   api/v1/tickets/<reference>/comments ~restricted                       401  404  404  404  404  201  403  201
POST   api/v1/tickets/<reference>/follow-up ~closed                          401  201  201  201  201  201  403  201
GET    api/v1/tickets/<reference>/journal                                    401  200  200  200  200  200  200  200
GET    api/v1/tickets/<reference>/journal ~restricted                        401  404  404  404  404  200  200  200
GET    api/v1/tickets/<reference>/links                                      401  200  200  200  200  200  200  200
POST   api/v1/tickets/<reference>/links                                      401  404  201  403  201  201  403  201
GET    api/v1/tickets/<reference>/links ~restricted                          401  404  404  404  404  200  200  200
POST   api/v1/tickets/<reference>/links ~restricted                          401  404  404  404  404  201  403  201
DELETE api/v1/tickets/<reference>/links/<number>                             401  403  204  403  204  204  403  204
DELETE api/v1/tickets/<reference>/links/<number> ~restricted                 401  404  404  404  404  404  404  404
POST   api/v1/tickets/<reference>/merge                                      401  404  200  403  200  200  403  200
POST   api/v1/tickets/<reference>/merge ~restricted                          401  404  404  404  404  200  403  200
POST   api/v1/tickets/<reference>/transition                                 401  403  200  403  200  200  403  200
POST   api/v1/tickets/<reference>/transition ~restricted                     401  404  404  404  404  200  403  200
PUT    api/v1/tickets/<reference>/watchers/<who>                             401  200  200  200  200  200  403  200
DELETE api/v1/tickets/<reference>/watchers/<who>                             401  204  204  204  204  204  403  204
PUT    api/v1/tickets/<reference>/watchers/<who> ~restricted                 401  404  404  404  404  200  403  200
DELETE api/v1/tickets/<reference>/watchers/<who> ~restricted                 401  404  404  404  404  204  403  204
POST   api/v1/tickets/bulk                                                   401  201  201  201  201  201  403  201
GET    api/v1/views                                                          401  403  200  200  200  200  200  200
POST   api/v1/views                                                          401  403  201  201  201  201  403  201
DELETE api/v1/views/<number>                                                 401  403  404  404  204  204  403  204
GET    changes                                                               302  403  200  200  200  200  200  200
GET    changes/<str:number>/plan                                             302  403  200  403  200  200  403  200
POST   changes/<str:number>/plan                                             302  403  302  403  302  302  403  302
GET    changes/new                                                           302  403  200  200  200  200  403  200
POST   changes/new                                                           302  403  302  302  302  302  403  302
GET    cmdb                                                                  302  403  200  200  200  200  200  200
GET    cmdb/cis/<int:ci_id>                                                  302  403  200  200  200  200  200  200
GET    cmdb/cis/<int:ci_id>/edit                                             302  403  403  403  200  403  403  200
POST   cmdb/cis/<int:ci_id>/edit                                             302  403  403  403  302  403  403  302
POST   cmdb/cis/<int:ci_id>/relate                                           302  403  403  403  302  403  403  302
GET    cmdb/cis/new                                                          302  403  403  403  200  403  403  200
POST   cmdb/cis/new                                                          302  403  403  403  302  403  403  302
POST   cmdb/relationships/<int:relationship_id>/remove                       302  403  403  403  302  403  403  302
GET    cmdb/services                                                         302  403  200  200  200  200  200  200
GET    cmdb/services/<int:service_id>                                        302  403  200  200  200  200  200  200
GET    cmdb/services/<int:service_id>/edit                                   302  403  403  403  200  403  403  200
POST   cmdb/services/<int:service_id>/edit                                   302  403  403  403  302  403  403  302
GET    cmdb/services/new                                                     302  403  403  403  200  403  403  200
POST   cmdb/services/new                                                     302  403  403  403  302  403  403  302
GET    design                                                                200  200  200  200  200  200  200  200
GET    import                                                                302  403  403  403  200  403  403  200
POST   import                                                                302  403  403  403  200  403  403  200
GET    import/<int:run_id>                                                   302  403  403  403  404  403  403  404
GET    import/<int:run_id>/rejects.csv                                       302  403  403  403  404  403  403  404
POST   escalations/<int:escalation_id>/acknowledge                           302  403  404  404  404  404  403  404
GET    inbox                                                                 302  200  200  200  200  200  200  200
POST   inbox/<int:notification_id>/open                                      302  302  404  404  404  404  404  404
POST   inbox/<int:notification_id>/read                                      302  302  404  404  404  404  404  404
GET    inbox/count                                                           401  200  200  200  200  200  200  200
POST   inbox/read                                                            302  302  302  302  302  302  302  302
GET    journal                                                               302  403  403  403  403  200  200  200
GET    morning                                                               302  403  200  200  200  200  200  200
GET    morning/act                                                           302  403  404  404  404  404  403  404
POST   morning/act                                                           302  403  302  302  302  302  403  302
POST   morning/finish                                                        302  403  302  302  302  302  403  302
POST   morning/mail                                                          302  403  302  302  302  302  302  302
POST   morning/mail-time                                                     302  403  302  302  302  302  302  302
POST   morning/mark                                                          302  403  302  302  302  302  403  302
GET    morning/review.pdf                                                    302  403  200  200  200  200  200  200
GET    morning/reviews/<int:review_id>                                       302  403  404  404  404  404  404  404
GET    palette                                                               200  200  200  200  200  200  200  200
GET    people                                                                302  403  200  200  200  200  200  200
GET    people/<int:user_id>                                                  302  403  200  200  200  200  200  200
GET    people/<int:user_id>/edit                                             302  403  403  403  403  403  403  200
POST   people/<int:user_id>/edit                                             302  403  403  403  403  403  403  302
POST   people/<int:user_id>/password                                         302  403  403  403  403  403  403  302
GET    people/new                                                            302  403  403  403  403  403  403  200
POST   people/new                                                            302  403  403  403  403  403  403  302
GET    portal                                                                302  200  200  200  200  200  403  200
GET    portal/raise                                                          302  200  200  200  200  200  403  200
GET    portal/raise/other                                                    302  200  200  200  200  200  403  200
POST   portal/raise/other                                                    302  302  302  302  302  302  403  302
GET    portal/raise/service/<int:service_id>                                 302  200  200  200  200  200  403  200
POST   portal/raise/service/<int:service_id>                                 302  302  302  302  302  302  403  302
GET    portal/tickets/<str:number>                                           302  200  404  404  404  404  403  404
GET    portal/tickets/<str:number> ~restricted                               302  404  404  404  404  404  403  200
GET    portal/tickets/<str:number>/act                                       302  302  302  302  302  302  302  302
POST   portal/tickets/<str:number>/act                                       302  302  404  404  404  404  403  404
POST   portal/tickets/<str:number>/act ~restricted                           302  404  404  404  404  404  403  302
GET    portal/tickets/<str:number>/answer                                    302  302  302  302  302  302  302  302
POST   portal/tickets/<str:number>/answer                                    302  302  404  404  404  404  403  404
POST   portal/tickets/<str:number>/answer ~restricted                        302  404  404  404  404  404  403  302
GET    problems                                                              302  403  200  200  200  200  200  200
GET    problems/candidates                                                   302  403  200  200  200  200  200  200
GET    problems/candidates/<int:candidate_id>                                302  403  200  200  200  200  200  200
GET    problems/candidates/<int:candidate_id>/dismiss                        302  302  302  302  302  302  302  302
POST   problems/candidates/<int:candidate_id>/dismiss                        302  403  403  403  302  302  403  302
POST   problems/candidates/<int:candidate_id>/problem                        302  403  403  403  302  302  403  302
POST   problems/candidates/<int:candidate_id>/restore                        302  403  403  403  409  409  403  409
POST   problems/candidates/look                                              302  403  403  403  302  302  403  302
GET    problems/candidates/looking                                           302  403  200  200  200  200  200  200
GET    problems/<str:number>/incidents                                       302  403  200  200  200  200  200  200
POST   problems/matches/<int:match_id>                                       302  403  302  403  302  302  403  302
GET    problems/new                                                          302  403  403  403  200  200  403  200
POST   problems/new                                                          302  403  403  403  302  302  403  302
GET    problems/review                                                       302  403  200  200  200  200  200  200
GET    profile                                                               302  200  200  200  200  200  200  200
POST   profile                                                               302  302  302  302  302  302  302  302
GET    profile/notifications                                                 302  200  200  200  200  200  200  200
POST   profile/notifications                                                 302  302  302  302  302  302  302  302
GET    profile/password                                                      302  200  200  200  200  200  200  200
POST   profile/password                                                      302  422  422  422  422  422  422  422
POST   profile/tokens                                                        302  201  201  201  201  201  201  201
POST   profile/tokens/<int:token_id>/revoke                                  302  404  404  404  302  404  404  302
GET    queue                                                                 302  403  200  200  200  200  200  200
POST   queue/act                                                             302  403  302  302  302  302  403  302
GET    queue/complete                                                        302  403  200  200  200  200  200  200
GET    queue/counts                                                          302  403  200  200  200  200  200  200
GET    queue/export.<str:kind>                                               302  403  200  200  200  200  200  200
POST   queue/preview                                                         302  403  302  302  302  302  302  302
GET    queue/preview/<int:ticket_id>                                         302  403  302  302  302  302  302  302
GET    queue/preview/<int:ticket_id> ~restricted                             302  403  404  404  404  302  302  302
GET    queue/refresh                                                         302  403  200  200  200  200  200  200
POST   queue/undo                                                            302  403  302  302  302  302  403  302
POST   queue/views                                                           302  403  302  302  302  302  403  302
POST   queue/views/<int:view_id>/remove                                      302  403  404  404  302  302  403  302
GET    search                                                                302  403  200  200  200  200  200  200
GET    service-levels                                                        302  403  200  200  200  200  200  200
GET    service-levels/agreements/<int:agreement_id>                          302  403  200  200  200  200  200  200
GET    service-levels/agreements/<int:agreement_id>/edit                     302  403  403  403  403  403  403  200
POST   service-levels/agreements/<int:agreement_id>/edit                     302  403  403  403  403  403  403  302
POST   service-levels/agreements/<int:agreement_id>/move                     302  403  403  403  403  403  403  302
POST   service-levels/agreements/<int:agreement_id>/retire                   302  403  403  403  403  403  403  302
GET    service-levels/agreements/new                                         302  403  403  403  403  403  403  200
POST   service-levels/agreements/new                                         302  403  403  403  403  403  403  302
GET    service-levels/forecast                                               302  403  200  200  200  200  200  200
POST   service-levels/forecast/train                                         302  403  403  403  403  403  403  302
GET    service-levels/schedules                                              302  403  200  200  200  200  200  200
GET    service-levels/schedules/<int:schedule_id>                            302  403  200  200  200  200  200  200
GET    service-levels/schedules/<int:schedule_id>/edit                       302  403  403  403  403  403  403  200
POST   service-levels/schedules/<int:schedule_id>/edit                       302  403  403  403  403  403  403  302
GET    service-levels/schedules/<int:schedule_id>/explain                    302  403  200  200  200  200  200  200
POST   service-levels/schedules/<int:schedule_id>/retire                     302  403  403  403  403  403  403  302
POST   service-levels/schedules/<int:schedule_id>/uses                       302  403  403  403  403  403  403  302
POST   service-levels/schedules/<int:schedule_id>/uses/remove                302  403  403  403  403  403  403  302
GET    service-levels/schedules/new                                          302  403  403  403  403  403  403  200
POST   service-levels/schedules/new                                          302  403  403  403  403  403  403  302
GET    service-levels/what-if/<int:asked_id>                                 302  403  403  403  403  403  403  404
GET    settings                                                              302  403  403  403  403  403  403  200
GET    settings/categories                                                   302  403  403  403  403  403  403  200
POST   settings/categories                                                   302  403  403  403  403  403  403  302
POST   settings/categories/<int:category_id>                                 302  403  403  403  403  403  403  302
GET    settings/deliveries                                                   302  403  403  403  403  403  403  200
POST   settings/deliveries/<int:delivery_id>/retry                           302  403  403  403  403  403  403  302
GET    settings/forms                                                        302  403  403  403  403  403  403  200
GET    settings/forms/<int:service_id>                                       302  403  403  403  403  403  403  200
POST   settings/forms/<int:service_id>                                       302  403  403  403  403  403  403  302
GET    settings/priorities                                                   302  403  403  403  403  403  403  200
POST   settings/priorities                                                   302  403  403  403  403  403  403  302
GET    settings/views                                                        302  403  403  403  403  403  403  200
POST   settings/views                                                        302  403  403  403  403  403  403  302
POST   settings/views/<int:view_id>/remove                                   302  403  403  403  403  403  403  302
POST   settings/deliveries/retry                                             302  403  403  403  403  403  403  302
POST   settings/deliveries/try                                               302  403  403  403  403  403  403  302
GET    settings/webhooks                                                     302  403  403  403  403  403  403  200
POST   settings/webhooks                                                     302  403  403  403  403  403  403  302
GET    settings/webhooks/<int:webhook_id>                                    302  403  403  403  403  403  403  200
POST   settings/webhooks/<int:webhook_id>                                    302  403  403  403  403  403  403  302
POST   settings/webhooks/<int:webhook_id>/retire                             302  403  403  403  403  403  403  302
POST   settings/webhooks/<int:webhook_id>/try                                302  403  403  403  403  403  403  302
GET    sign-in                                                               200  302  302  302  302  302  302  302
POST   sign-in                                                               422  422  422  422  422  422  422  422
GET    sign-out                                                              302  200  200  200  200  200  200  200
POST   sign-out                                                              302  302  302  302  302  302  302  302
GET    teams                                                                 302  403  200  200  200  200  200  200
GET    teams/<int:team_id>                                                   302  403  200  200  200  200  200  200
GET    teams/<int:team_id>/edit                                              302  403  403  403  403  403  403  200
POST   teams/<int:team_id>/edit                                              302  403  403  403  403  403  403  302
POST   teams/<int:team_id>/members                                           302  403  403  403  403  403  403  302
GET    teams/new                                                             302  403  403  403  403  403  403  200
POST   teams/new                                                             302  403  403  403  403  403  403  302
POST   theme                                                                 302  302  302  302  302  302  302  302
GET    tickets/<str:number>                                                  302  302  200  200  200  200  200  200
GET    tickets/<str:number> ~restricted                                      302  404  404  404  404  200  200  200
GET    tickets/<str:number>/act                                              302  302  302  302  302  302  302  302
POST   tickets/<str:number>/act                                              302  403  302  403  302  302  403  302
POST   tickets/<str:number>/act ~restricted                                  302  403  404  404  404  302  403  302
GET    tickets/<str:number>/clocks                                           302  403  200  200  200  200  200  200
GET    tickets/<str:number>/clocks ~restricted                               302  403  404  404  404  200  200  200
GET    tickets/<str:number>/comment                                          302  302  302  302  302  302  302  302
POST   tickets/<str:number>/comment                                          302  403  302  302  302  302  403  302
POST   tickets/<str:number>/comment ~restricted                              302  403  404  404  404  302  403  302
GET    tickets/<str:number>/edit                                             302  403  200  403  200  200  403  200
POST   tickets/<str:number>/edit                                             302  403  302  403  302  302  403  302
GET    tickets/<str:number>/edit ~restricted                                 302  403  404  404  404  200  403  200
POST   tickets/<str:number>/edit ~restricted                                 302  403  404  404  404  302  403  302
GET    tickets/<str:number>/follow-up                                        302  302  302  302  302  302  302  302
POST   tickets/<str:number>/follow-up ~closed                                302  302  302  302  302  302  403  302
GET    tickets/<str:number>/links                                            302  302  302  302  302  302  302  302
POST   tickets/<str:number>/links                                            302  403  302  403  302  302  403  302
POST   tickets/<str:number>/links ~restricted                                302  403  404  404  404  302  403  302
POST   tickets/<str:number>/links/<int:link_id>/remove                       302  403  302  403  302  302  403  302
POST   tickets/<str:number>/links/<int:link_id>/remove ~restricted           302  403  404  404  404  302  403  302
GET    tickets/<str:number>/merge                                            302  302  302  302  302  302  302  302
POST   tickets/<str:number>/merge                                            302  403  302  403  302  302  403  302
POST   tickets/<str:number>/merge ~restricted                                302  403  404  404  404  302  403  302
GET    tickets/<str:number>/similar                                          302  403  200  200  200  200  200  200
GET    tickets/<str:number>/similar ~restricted                              302  403  404  404  404  200  200  200
POST   tickets/<str:number>/watch                                            302  403  302  302  302  302  403  302
POST   tickets/<str:number>/watch ~restricted                                302  403  404  404  404  302  403  302
GET    tickets/attachments/<int:attachment_id>                               302  200  200  200  200  200  200  200
GET    tickets/attachments/<int:attachment_id> ~restricted                   302  404  404  404  404  200  200  200
POST   tickets/attachments/<int:attachment_id>/remove                        302  403  302  403  302  302  403  302
POST   tickets/attachments/<int:attachment_id>/remove ~restricted            302  403  404  404  404  302  403  302
GET    tickets/new                                                           302  403  200  200  200  200  403  200
POST   tickets/new                                                           302  403  302  302  302  302  403  302
GET    tickets/suggest/<str:kind>                                            302  403  200  200  200  200  200  200
"""

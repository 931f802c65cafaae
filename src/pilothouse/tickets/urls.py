"""Addresses of the desk: the queue, the ticket page, search."""

from django.urls import path

from pilothouse.tickets import views, views_search, views_ticket

urlpatterns = [
    path("queue", views.queue, name="queue"),
    path("queue/refresh", views.refresh, name="queue-refresh"),
    path("queue/counts", views.counts, name="queue-counts"),
    path("queue/complete", views.complete, name="queue-complete"),
    path("queue/preview/<int:ticket_id>", views.preview, name="queue-preview"),
    path("queue/preview", views.preview_choice, name="queue-preview-choice"),
    path("queue/act", views.act, name="queue-act"),
    path("queue/undo", views.undo, name="queue-undo"),
    path("queue/export.<str:kind>", views.export, name="queue-export"),
    path("queue/views", views.save_view, name="queue-save-view"),
    path("queue/views/<int:view_id>/remove", views.drop_view, name="queue-drop-view"),
    path("search", views_search.search_page, name="search"),
    path("tickets/new", views_ticket.new, name="ticket-new"),
    path("tickets/suggest/<str:kind>", views_ticket.suggestions, name="suggest"),
    path("tickets/attachments/<int:attachment_id>", views_ticket.attachment, name="attachment"),
    path("tickets/attachments/<int:attachment_id>/remove", views_ticket.remove_attachment, name="attachment-remove"),
    path("tickets/<str:number>", views_ticket.ticket, name="ticket"),
    path("tickets/<str:number>/edit", views_ticket.edit, name="ticket-edit"),
    path("tickets/<str:number>/act", views_ticket.act, name="ticket-act"),
    path("tickets/<str:number>/comment", views_ticket.comment, name="ticket-comment"),
    path("tickets/<str:number>/watch", views_ticket.watch, name="ticket-watch"),
    path("tickets/<str:number>/links", views_ticket.link, name="ticket-link"),
    path("tickets/<str:number>/links/<int:link_id>/remove", views_ticket.unlink, name="ticket-unlink"),
    path("tickets/<str:number>/merge", views_ticket.merge, name="ticket-merge"),
    path("tickets/<str:number>/follow-up", views_ticket.follow_up, name="ticket-follow-up"),
    path("tickets/<str:number>/similar", views_ticket.similar, name="ticket-similar"),
]

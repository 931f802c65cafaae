"""Addresses of the morning review."""

from django.urls import path

from pilothouse.morning import views

urlpatterns = [
    path("morning", views.review, name="morning"),
    path("morning/act", views.act, name="morning-act"),
    path("morning/mark", views.mark, name="morning-mark"),
    path("morning/finish", views.finish, name="morning-finish"),
    path("morning/reviews/<int:review_id>", views.finished, name="morning-review"),
    path("morning/review.pdf", views.as_pdf, name="morning-pdf"),
    path("morning/mail", views.mail_now, name="morning-mail"),
    path("morning/mail-time", views.mail_time, name="morning-mail-time"),
]

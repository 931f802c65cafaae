"""Addresses of agreements."""

from django.urls import path

from pilothouse.sla import agreement_views as views

urlpatterns = [
    path("service-levels", views.overview, name="service-levels"),
    path("service-levels/agreements/new", views.new_agreement, name="agreement-new"),
    path("service-levels/agreements/<int:agreement_id>", views.agreement, name="agreement"),
    path("service-levels/agreements/<int:agreement_id>/edit", views.edit_agreement, name="agreement-edit"),
    path("service-levels/agreements/<int:agreement_id>/move", views.move_agreement, name="agreement-move"),
    path("service-levels/agreements/<int:agreement_id>/retire", views.retire_agreement, name="agreement-retire"),
    path("service-levels/what-if/<int:asked_id>", views.what_if_panel, name="what-if"),
]

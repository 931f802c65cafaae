"""Addresses of schedules."""

from django.urls import path

from pilothouse.sla import schedule_views as views

urlpatterns = [
    path("service-levels/schedules", views.schedules_page, name="schedules"),
    path("service-levels/schedules/new", views.new_schedule, name="schedule-new"),
    path("service-levels/schedules/<int:schedule_id>", views.schedule_page, name="schedule"),
    path("service-levels/schedules/<int:schedule_id>/edit", views.edit_schedule, name="schedule-edit"),
    path("service-levels/schedules/<int:schedule_id>/retire", views.retire_schedule, name="schedule-retire"),
    path("service-levels/schedules/<int:schedule_id>/uses", views.use_schedule, name="schedule-use"),
    path("service-levels/schedules/<int:schedule_id>/uses/remove", views.unuse_schedule, name="schedule-unuse"),
    path("service-levels/schedules/<int:schedule_id>/explain", views.explain, name="schedule-explain"),
]

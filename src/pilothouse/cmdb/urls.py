"""Addresses of services and configuration items."""

from django.urls import path

from pilothouse.cmdb import service_views, views

urlpatterns = [
    path("cmdb", views.cis, name="cmdb"),
    path("cmdb/cis/new", views.new_ci, name="ci-new"),
    path("cmdb/cis/<int:ci_id>", views.ci, name="ci"),
    path("cmdb/cis/<int:ci_id>/edit", views.edit_ci, name="ci-edit"),
    path("cmdb/cis/<int:ci_id>/relate", views.relate, name="ci-relate"),
    path("cmdb/relationships/<int:relationship_id>/remove", views.unrelate, name="ci-unrelate"),
    path("cmdb/services", service_views.services, name="services"),
    path("cmdb/services/new", service_views.new_service, name="service-new"),
    path("cmdb/services/<int:service_id>", service_views.service, name="service"),
    path("cmdb/services/<int:service_id>/edit", service_views.edit_service, name="service-edit"),
]

"""Addresses of the settings that administrators edit."""

from django.urls import path

from pilothouse.tickets import admin_views

urlpatterns = [
    path("settings", admin_views.overview, name="administration"),
    path("settings/priorities", admin_views.matrix, name="settings-matrix"),
    path("settings/categories", admin_views.categories, name="settings-categories"),
    path("settings/categories/<int:category_id>", admin_views.change_category, name="settings-category"),
    path("settings/forms", admin_views.forms, name="settings-forms"),
    path("settings/forms/<int:service_id>", admin_views.form, name="settings-form"),
    path("settings/views", admin_views.views, name="settings-views"),
    path("settings/views/<int:view_id>/remove", admin_views.remove_view, name="settings-view-remove"),
]

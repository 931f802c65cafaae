"""Addresses of the inbox, how one is told, webhooks and the delivery log."""

from django.urls import path

from pilothouse.notifications import admin_views, views

urlpatterns = [
    path("inbox", views.inbox, name="inbox"),
    path("inbox/count", views.count, name="inbox-count"),
    path("inbox/read", views.read_all, name="inbox-read-all"),
    path("inbox/<int:notification_id>/open", views.open_it, name="notification-open"),
    path("inbox/<int:notification_id>/read", views.read, name="notification-read"),
    path("profile/notifications", views.preferences, name="notification-preferences"),
    path("settings/webhooks", admin_views.webhooks, name="webhooks"),
    path("settings/webhooks/<int:webhook_id>", admin_views.webhook, name="webhook"),
    path("settings/webhooks/<int:webhook_id>/try", admin_views.try_webhook, name="webhook-try"),
    path("settings/webhooks/<int:webhook_id>/retire", admin_views.retire_webhook, name="webhook-retire"),
    path("settings/deliveries", admin_views.deliveries, name="deliveries"),
    path("settings/deliveries/retry", admin_views.retry_failed, name="deliveries-retry"),
    path("settings/deliveries/try", admin_views.try_mail, name="mail-try"),
    path("settings/deliveries/<int:delivery_id>/retry", admin_views.retry, name="delivery-retry"),
]

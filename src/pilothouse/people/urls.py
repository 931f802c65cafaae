"""Addresses of sign-in, one's own profile, people and teams."""

from django.urls import path

from pilothouse.people import profile_views, sign_in_views, views

urlpatterns = [
    path("sign-in", sign_in_views.sign_in, name="sign-in"),
    path("sign-out", sign_in_views.sign_out, name="sign-out"),
    path("profile", profile_views.profile, name="profile"),
    path("profile/password", profile_views.password, name="profile-password"),
    path("profile/tokens", profile_views.issue, name="token-issue"),
    path("profile/tokens/<int:token_id>/revoke", profile_views.revoke, name="token-revoke"),
    path("people", views.people, name="people"),
    path("people/new", views.new_person, name="person-new"),
    path("people/<int:user_id>", views.person, name="person"),
    path("people/<int:user_id>/edit", views.edit_person, name="person-edit"),
    path("people/<int:user_id>/password", views.set_password, name="person-password"),
    path("teams", views.teams, name="teams"),
    path("teams/new", views.new_team, name="team-new"),
    path("teams/<int:team_id>", views.team, name="team"),
    path("teams/<int:team_id>/edit", views.edit_team, name="team-edit"),
    path("teams/<int:team_id>/members", views.members, name="team-members"),
]

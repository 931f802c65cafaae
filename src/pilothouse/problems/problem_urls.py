"""Addresses of problem records; a problem's own page is /tickets/PRB0000001."""

from django.urls import path

from pilothouse.problems import matching_views, problem_views

urlpatterns = [
    path("problems", problem_views.problems, name="problems"),
    path("problems/review", problem_views.review, name="problems-review"),
    path("problems/new", problem_views.new, name="problem-new"),
    path("problems/matches/<int:match_id>", matching_views.answer, name="problem-match"),
    path("problems/<str:number>/incidents", problem_views.incidents, name="problem-incidents"),
]

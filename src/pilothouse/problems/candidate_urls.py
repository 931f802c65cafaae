"""Addresses of the candidates."""

from django.urls import path

from pilothouse.problems import candidate_views

urlpatterns = [
    path("problems/candidates", candidate_views.candidates, name="problems-candidates"),
    path("problems/candidates/look", candidate_views.look, name="problems-look"),
    path("problems/candidates/looking", candidate_views.looking, name="problems-looking"),
    path("problems/candidates/<int:candidate_id>", candidate_views.candidate, name="problems-candidate"),
    path("problems/candidates/<int:candidate_id>/dismiss", candidate_views.dismiss, name="problems-candidate-dismiss"),
    path("problems/candidates/<int:candidate_id>/restore", candidate_views.restore, name="problems-candidate-restore"),
    path("problems/candidates/<int:candidate_id>/problem", candidate_views.open_problem, name="problems-candidate-problem"),
]

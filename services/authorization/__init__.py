"""The authorization stage: may this user do that?"""

"""The authentication stage: who sent this request?"""

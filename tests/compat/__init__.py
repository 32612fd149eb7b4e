"""What an application sees through boto3: nothing of ours is imported, any endpoint can be judged."""

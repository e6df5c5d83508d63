-- Which objects of the repository some document names: asked by the sweep of what crashed submissions left. Documents of
-- the hub's own exams lie under other keys and are not in it.
create index repository_document_by_object on repository_document (object) where object like 'repository/%';

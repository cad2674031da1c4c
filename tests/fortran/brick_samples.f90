! SPDX-License-Identifier: MIT
!> Systems spread over bricks within one process, as the ranks of a run would see them, for the tests of halos.
module brick_samples
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, to_text
   use fennix_cell, only : cell_type, new_cell_from_vectors, open_cell
   use fennix_grid, only : brick_of, grid_type, new_grid, owner_of
   use fennix_neighborhood, only : find_near, fold_atoms, near_type, select_atoms
   implicit none
   private
   public :: spread_type, view_type, new_spread, view_of, sample_cell, sample_positions, sample_shapes, shape_text
   public :: n_cells, cell_name

   !> Atoms and their owners
   type :: spread_type
      type(grid_type) :: grid
      integer :: n_ranks = 0
      !> Å, as the run has them, (3, n)
      real(dp), allocatable :: position(:, :)
      !> Rank of each atom, (n)
      integer, allocatable :: owner(:)
      !> In the frame of the owner's brick: fractional coordinates and lattice vectors taken off, (3, n)
      real(dp), allocatable :: fractional(:, :)
      integer, allocatable :: fold(:, :)
      !> How far the farthest atom lies outside the brick of its owner, Å
      real(dp) :: excursion = 0.0_dp
   end type spread_type

   !> What a rank sees: its own atoms, then ghosts
   type :: view_type
      integer :: n_local = 0, n_total = 0
      !> Which atom of the whole system, and lattice vectors added to its position, (n_total), (3, n_total)
      integer, allocatable :: atom(:), image(:, :)
      !> Å, (3, n_total)
      real(dp), allocatable :: position(:, :)
   end type view_type

   !> Kinds of cells
   integer, parameter :: n_cells = 4
   character(len=*), parameter :: cell_name(n_cells) = [character(len=12) :: "orthorhombic", "triclinic", "skewed", &
      & "isolated"]

contains


!> Orthorhombic, triclinic, strongly skewed with no axis along x, and isolated
subroutine sample_cell(kind, cell, error)
   !> 1 ... n_cells
   integer, intent(in) :: kind
   type(cell_type), intent(out) :: cell
   type(error_type), allocatable, intent(out) :: error
   real(dp), parameter :: columns(9, 3) = reshape([ &
      & 10.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 12.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 14.0_dp, &
      & 10.0_dp, 0.0_dp, 0.0_dp, 3.0_dp, 11.0_dp, 0.0_dp, -4.0_dp, 2.5_dp, 13.0_dp, &
      & 9.0_dp, 1.0_dp, -2.0_dp, -5.0_dp, 10.0_dp, 2.0_dp, 6.0_dp, -4.0_dp, 12.0_dp], [9, 3])

   if (kind == n_cells) then
      cell = open_cell()
   else
      call new_cell_from_vectors(cell, reshape(columns(:, kind), [3, 3]), error)
   end if
end subroutine sample_cell


!> Random positions, two cells in each direction, or in a box away from the origin, Å
function sample_positions(cell, n) result(position)
   type(cell_type), intent(in) :: cell
   integer, intent(in) :: n
   real(dp) :: position(3, n)

   call random_number(position)
   if (cell%periodic) then
      position = matmul(cell%vectors, 4.0_dp*position - 2.0_dp)
   else
      position = 13.0_dp*position + spread([-5.0_dp, 3.0_dp, 40.0_dp], 2, n)
   end if
end function sample_positions


!> Bricks along each axis for two to twelve ranks: slabs, columns and blocks
pure function sample_shapes() result(shapes)
   integer, allocatable :: shapes(:, :)

   shapes = reshape([1, 1, 2, 2, 1, 1, 1, 3, 1, 2, 2, 1, 1, 1, 5, 6, 1, 1, 1, 2, 3, 1, 7, 1, 2, 2, 2, 3, 1, 3, &
      & 2, 1, 5, 11, 1, 1, 2, 3, 2, 1, 4, 3, 1, 1, 12], [3, 15])
end function sample_shapes


!> "2 x 2 x 1"
pure function shape_text(shape) result(text)
   integer, intent(in) :: shape(3)
   character(len=:), allocatable :: text

   text = to_text(shape(1)) // " x " // to_text(shape(2)) // " x " // to_text(shape(3))
end function shape_text


!> Atoms to the ranks that own their places; afterwards they may have moved
subroutine new_spread(self, cell, shape, position, moved)
   type(spread_type), intent(out) :: self
   type(cell_type), intent(in) :: cell
   integer, intent(in) :: shape(3)
   !> Where ownership was decided, and where the atoms are now if they have moved since, Å, (3, n)
   real(dp), intent(in) :: position(:, :)
   real(dp), intent(in), optional :: moved(:, :)
   integer, allocatable :: mine(:)
   real(dp), allocatable :: fractional(:, :)
   integer, allocatable :: fold(:, :)
   real(dp) :: excursion
   integer :: iat, rank

   self%n_ranks = product(shape)
   call new_grid(self%grid, shape, cell, minval(position, dim=2), maxval(position, dim=2))
   self%owner = [(owner_of(self%grid, position(:, iat)), iat=1, size(position, 2))]
   self%position = position
   if (present(moved)) self%position = moved
   allocate(self%fractional(3, size(position, 2)), self%fold(3, size(position, 2)))
   do rank = 0, self%n_ranks - 1
      mine = owned(self, rank)
      allocate(fractional(3, size(mine)), fold(3, size(mine)))
      call fold_atoms(self%grid, brick_of(self%grid, rank), self%position(:, mine), fractional, fold, excursion)
      self%fractional(:, mine) = fractional
      self%fold(:, mine) = fold
      self%excursion = max(self%excursion, excursion)
      deallocate(fractional, fold)
   end do
end subroutine new_spread


!> Atoms of a rank, ascending
pure function owned(self, rank) result(mine)
   type(spread_type), intent(in) :: self
   integer, intent(in) :: rank
   integer, allocatable :: mine(:)
   integer :: iat

   mine = pack([(iat, iat=1, size(self%owner))], self%owner == rank)
end function owned


!> Own atoms and what all ranks would send to this one
subroutine view_of(self, rank, width, view)
   type(spread_type), intent(in) :: self
   integer, intent(in) :: rank
   !> How far ghosts are needed, Å
   real(dp), intent(in) :: width
   type(view_type), intent(out) :: view
   type(near_type), allocatable :: near(:)
   integer, allocatable :: theirs(:), chosen(:)
   integer :: sender, k, n

   allocate(view%atom(0), view%image(3, 0))
   theirs = owned(self, rank)
   view%n_local = size(theirs)
   call append(self, view, theirs, [0, 0, 0])
   do sender = 0, self%n_ranks - 1
      theirs = owned(self, sender)
      if (allocated(chosen)) deallocate(chosen)
      allocate(chosen(size(theirs)))
      call find_near(self%grid, sender, width + 2.0_dp*self%excursion, near)
      do k = 1, size(near)
         if (near(k)%rank /= rank) cycle
         call select_atoms(self%grid, near(k), self%fractional(:, theirs), width + self%excursion, chosen, n)
         call append(self, view, theirs(chosen(:n)), near(k)%image)
      end do
   end do
   view%atom = view%atom(:view%n_total)
   view%image = view%image(:, :view%n_total)
   view%position = self%position(:, view%atom) + matmul(self%grid%vectors, real(view%image, dp))
end subroutine view_of


!> Atoms as a brick sees them that stands at its own place plus image
subroutine append(self, view, atoms, image)
   type(spread_type), intent(in) :: self
   type(view_type), intent(inout) :: view
   integer, intent(in) :: atoms(:), image(3)
   integer, allocatable :: line(:), table(:, :)
   integer :: needed

   needed = view%n_total + size(atoms)
   if (needed > size(view%atom)) then
      allocate(line(2*needed), table(3, 2*needed), source=0)
      line(:view%n_total) = view%atom(:view%n_total)
      table(:, :view%n_total) = view%image(:, :view%n_total)
      call move_alloc(line, view%atom)
      call move_alloc(table, view%image)
   end if
   view%atom(view%n_total + 1:needed) = atoms
   view%image(:, view%n_total + 1:needed) = -self%fold(:, atoms) - spread(image, 2, size(atoms))
   view%n_total = needed
end subroutine append

end module brick_samples

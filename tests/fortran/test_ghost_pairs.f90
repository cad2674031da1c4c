! SPDX-License-Identifier: MIT
!> Pair lists with ghosts: what a rank finds among its own atoms and ghosts is what one rank finds through images.
module test_ghost_pairs
   use fennix_kinds, only : dp
   use fennix_error, only : error_type, fatal_error, to_text
   use fennix_cell, only : cell_type, new_cell_from_vectors, open_cell, widths
   use fennix_grid, only : brick_of, gap_of
   use fennix_pairs, only : build_pairs, new_pairs, pairs_type
   use fennix_sort, only : sorting_order
   use brick_samples, only : cell_name, n_cells, new_spread, sample_cell, sample_positions, sample_shapes, shape_text, &
      & spread_type, view_of, view_type
   use test_runner, only : check
   implicit none
   private
   public :: test_ghosts_orthorhombic, test_ghosts_triclinic, test_ghosts_narrow, test_ghosts_centers, &
      & test_ghosts_order, test_ghosts_isolated, test_ghosts_spread, test_ghosts_spread_centers

   real(dp), parameter :: cutoff = 4.0_dp, skin = 0.6_dp

contains


!> Images along one, two and three lattice vectors replaced by ghosts
subroutine test_ghosts_orthorhombic(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_images(reshape([9.3_dp, 0.0_dp, 0.0_dp, 0.0_dp, 10.1_dp, 0.0_dp, 0.0_dp, 0.0_dp, 11.4_dp], [3, 3]), &
      & 40, error)
end subroutine test_ghosts_orthorhombic


!> The same in skewed lattices
subroutine test_ghosts_triclinic(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_images(reshape([9.3_dp, 0.0_dp, 0.0_dp, 3.0_dp, 9.3_dp, 0.0_dp, 1.0_dp, -4.0_dp, 9.3_dp], [3, 3]), &
      & 40, error)
   if (allocated(error)) return
   call compare_images(reshape([9.0_dp, 1.0_dp, -2.0_dp, -5.0_dp, 10.0_dp, 2.0_dp, 6.0_dp, -4.0_dp, 12.0_dp], [3, 3]), &
      & 40, error)
end subroutine test_ghosts_triclinic


!> Boxes smaller than the range: an atom is its own neighbour, as a ghost or through a shift
subroutine test_ghosts_narrow(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_images(reshape([3.0_dp, 0.0_dp, 0.0_dp, 0.0_dp, 4.1_dp, 0.0_dp, 0.0_dp, 0.0_dp, 2.2_dp], [3, 3]), 3, &
      & error)
   if (allocated(error)) return
   call compare_images(reshape([3.0_dp, 0.0_dp, 0.0_dp, 0.5_dp, 4.0_dp, 0.0_dp, -0.9_dp, 1.2_dp, 3.0_dp], [3, 3]), 5, &
      & error)
   if (allocated(error)) return
   call compare_images(reshape([3.0_dp, 0.0_dp, 0.0_dp, 0.5_dp, 4.0_dp, 0.0_dp, 0.0_dp, 1.0_dp, 40.0_dp], [3, 3]), 20, &
      & error)
end subroutine test_ghosts_narrow


!> Rows of own atoms with ghosts along every choice of lattice vectors, against shifts along all of them
subroutine compare_images(vectors, n, error)
   !> Lattice vectors as columns, Å
   real(dp), intent(in) :: vectors(3, 3)
   integer, intent(in) :: n
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell
   type(pairs_type) :: plain, pairs
   real(dp) :: position(3, n)
   type(view_type) :: view
   logical :: ghosts(3)
   integer :: choice, iat

   call new_cell_from_vectors(cell, vectors, error)
   if (allocated(error)) return
   position = sample_positions(cell, n)
   call new_pairs(plain, cutoff, skin)
   call build_pairs(plain, cell, position)
   call new_pairs(pairs, cutoff, skin)
   do choice = 0, 7
      ghosts = [btest(choice, 0), btest(choice, 1), btest(choice, 2)]
      call explicit_images(view, cell, position, ghosts)
      call build_pairs(pairs, cell, view%position, .not. ghosts, n, sorting_order(real(view%atom, dp)))
      call check(error, size(pairs%first) == n + 1, "rows of others than own atoms")
      call check(error, pairs%n_edges == plain%n_edges, to_text(pairs%n_edges) // " edges instead of " // &
         & to_text(plain%n_edges))
      do iat = 1, n
         call compare_row(pairs, iat, view, plain, iat, cell, position, ghosts, error)
      end do
      if (allocated(error)) error%message = "ghosts along choice " // to_text(choice) // ": " // error%message
      if (allocated(error)) return
   end do
end subroutine compare_images


!> Atoms folded along some lattice vectors, and all their images along those within range of the cell, shuffled
subroutine explicit_images(view, cell, position, along)
   type(view_type), intent(out) :: view
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: position(:, :)
   logical, intent(in) :: along(3)
   integer :: reach(3), base(3, size(position, 2)), iat, m1, m2, m3, n, k
   integer, allocatable :: order(:)
   real(dp), allocatable :: random(:)

   reach = merge(ceiling((cutoff + skin)/widths(cell)), 0, along)
   base = 0
   do iat = 1, size(position, 2)
      base(:, iat) = merge(-floor(matmul(cell%inverse, position(:, iat))), 0, along)
   end do
   n = size(position, 2)
   view%n_local = n
   view%n_total = n*product(2*reach + 1)
   allocate(view%atom(view%n_total), view%image(3, view%n_total))
   view%atom(:n) = [(iat, iat=1, n)]
   view%image(:, :n) = base
   k = n
   do m3 = -reach(3), reach(3)
      do m2 = -reach(2), reach(2)
         do m1 = -reach(1), reach(1)
            if (all([m1, m2, m3] == 0)) cycle
            view%atom(k + 1:k + n) = view%atom(:n)
            view%image(:, k + 1:k + n) = base + spread([m1, m2, m3], 2, n)
            k = k + n
         end do
      end do
   end do
   allocate(random(k - n))
   call random_number(random)
   order = [[(iat, iat=1, n)], n + sorting_order(random)]
   view%atom = view%atom(order)
   view%image = view%image(:, order)
   view%position = position(:, view%atom) + matmul(cell%vectors, real(view%image, dp))
end subroutine explicit_images


!> The same edges: neighbour and vector, each as often, in ascending order of the neighbour
subroutine compare_row(pairs, row, view, plain, plain_row, cell, position, ghosts, error)
   !> With ghosts, and without
   type(pairs_type), intent(in) :: pairs, plain
   integer, intent(in) :: row, plain_row
   type(view_type), intent(in) :: view
   type(cell_type), intent(in) :: cell
   real(dp), intent(in) :: position(:, :)
   !> Lattice vectors along which ghosts stand for images
   logical, intent(in) :: ghosts(3)
   type(error_type), allocatable, intent(inout) :: error
   logical, allocatable :: met(:)
   real(dp) :: vector(3), other(3)
   integer :: e, p, jat, last

   if (allocated(error)) return
   call check(error, pairs%first(row + 1) - pairs%first(row) == plain%first(plain_row + 1) - plain%first(plain_row), &
      & "a row of " // to_text(int(pairs%first(row + 1) - pairs%first(row))) // " edges instead of " // &
      & to_text(int(plain%first(plain_row + 1) - plain%first(plain_row))))
   allocate(met(plain%first(plain_row) + 1:plain%first(plain_row + 1)), source=.false.)
   last = 0
   do e = pairs%first(row) + 1, pairs%first(row + 1)
      jat = view%atom(pairs%neighbor(e) + 1)
      call check(error, jat >= last, "a row is not in the order of its neighbours")
      call check(error, all(pairs%shift(:, e) == 0 .or. .not. ghosts), "a shift along a decomposed lattice vector")
      last = jat
      vector = view%position(:, pairs%neighbor(e) + 1) - view%position(:, row) + matmul(cell%vectors, &
         & real(pairs%shift(:, e), dp))
      do p = lbound(met, 1), ubound(met, 1)
         if (met(p) .or. plain%neighbor(p) + 1 /= jat) cycle
         other = position(:, jat) - position(:, plain_row) + matmul(cell%vectors, real(plain%shift(:, p), dp))
         met(p) = all(abs(other - vector) < 1.0e-9_dp)
         if (met(p)) exit
      end do
      call check(error, p <= ubound(met, 1), "an edge of atom " // to_text(plain_row) // " to atom " // &
         & to_text(jat) // " that is none")
      if (allocated(error)) return
   end do
   call check(error, all(met), "an edge of atom " // to_text(plain_row) // " is missing")
end subroutine compare_row


!> Only the first atoms have rows, the others are neighbours all the same
subroutine test_ghosts_centers(error)
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell
   type(pairs_type) :: all_rows, pairs
   real(dp) :: position(3, 60)
   integer :: kind, n, edges

   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      if (allocated(error)) return
      position = sample_positions(cell, size(position, 2))
      call new_pairs(all_rows, cutoff, skin)
      call build_pairs(all_rows, cell, position)
      do n = 0, size(position, 2), 12
         call new_pairs(pairs, cutoff, skin)
         call build_pairs(pairs, cell, position, n_center=n)
         edges = all_rows%first(n + 1)
         call check(error, size(pairs%first) == n + 1 .and. pairs%n_edges == edges, to_text(pairs%n_edges) // &
            & " edges of " // to_text(n) // " atoms instead of " // to_text(edges))
         if (allocated(error)) return
         call check(error, all(pairs%first == all_rows%first(:n + 1)) .and. all(pairs%neighbor(:edges) == &
            & all_rows%neighbor(:edges)) .and. all(pairs%shift(:, :edges) == all_rows%shift(:, :edges)), &
            & "rows of the first " // to_text(n) // " atoms differ")
      end do
   end do
end subroutine test_ghosts_centers


!> Neighbours follow each other as they are told, images of one by ascending shift
subroutine test_ghosts_order(error)
   type(error_type), allocatable, intent(out) :: error
   type(cell_type) :: cell
   type(pairs_type) :: plain, pairs
   type(view_type) :: view
   real(dp) :: position(3, 30), random(30)
   integer :: kind, order(30), place(30), iat, e

   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      if (allocated(error)) return
      position = sample_positions(cell, size(position, 2))
      call random_number(random)
      order = sorting_order(random)
      place(order) = [(iat, iat=1, 30)]
      call new_pairs(plain, 9.0_dp, skin)
      call build_pairs(plain, cell, position)
      call new_pairs(pairs, 9.0_dp, skin)
      call build_pairs(pairs, cell, position, order=order)
      call check(error, pairs%n_edges == plain%n_edges, "the order changes the number of edges")
      ! Compared as if the atoms had been numbered in that order
      view%atom = place
      view%position = position
      do iat = 1, 30
         call compare_row(pairs, iat, view, plain_in(order), place(iat), cell, position(:, order), [.false., .false., &
            & .false.], error)
         do e = pairs%first(iat) + 2, pairs%first(iat + 1)
            if (pairs%neighbor(e) /= pairs%neighbor(e - 1)) cycle
            call check(error, ascending(pairs%shift(:, e - 1), pairs%shift(:, e)), "shifts do not ascend")
         end do
      end do
      if (allocated(error)) return
   end do

contains

   !> The plain list of the atoms in that order
   function plain_in(order) result(list)
      integer, intent(in) :: order(:)
      type(pairs_type) :: list

      call new_pairs(list, 9.0_dp, skin)
      call build_pairs(list, cell, position(:, order))
   end function plain_in

   pure function ascending(a, b)
      integer, intent(in) :: a(3), b(3)
      logical :: ascending

      ascending = a(1) < b(1) .or. (a(1) == b(1) .and. (a(2) < b(2) .or. (a(2) == b(2) .and. a(3) < b(3))))
   end function ascending

end subroutine test_ghosts_order


!> No rows, no images, ghosts far away from the atoms that have rows
subroutine test_ghosts_isolated(error)
   type(error_type), allocatable, intent(out) :: error
   type(pairs_type) :: pairs
   real(dp) :: position(3, 4)

   position = reshape([0.0_dp, 0.0_dp, 0.0_dp, 3.0_dp, 0.0_dp, 0.0_dp, 500.0_dp, 0.0_dp, -400.0_dp, 0.0_dp, -4.5_dp, &
      & 0.0_dp], [3, 4])
   call new_pairs(pairs, cutoff, skin)
   call build_pairs(pairs, open_cell(), position, [.true., .false., .true.], 2, [4, 3, 2, 1])
   call check(error, pairs%n_edges == 3 .and. all(pairs%first == [0, 2, 3]), to_text(pairs%n_edges) // " edges of two")
   if (.not. allocated(error)) call check(error, all(pairs%neighbor(:3) == [3, 1, 0]), "neighbours in the given order")
   call build_pairs(pairs, open_cell(), position, [.false., .false., .false.], 0, [1, 2, 3, 4])
   call check(error, pairs%n_edges == 0 .and. size(pairs%first) == 1, "rows of nobody")
   call build_pairs(pairs, open_cell(), position(:, :0), [.false., .false., .false.], 0, [integer ::])
   call check(error, pairs%n_edges == 0 .and. size(pairs%first) == 1, "rows among nobody")
end subroutine test_ghosts_isolated


!> Ranks with a halo as wide as the range find for their own atoms what one rank finds
subroutine test_ghosts_spread(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_spread(cutoff + skin, -1.0_dp, error)
end subroutine test_ghosts_spread


!> With a wider halo also ghosts around the own atoms have all their neighbours
subroutine test_ghosts_spread_centers(error)
   type(error_type), allocatable, intent(out) :: error

   call compare_spread(2.0_dp*(cutoff + skin), cutoff + skin, error)
end subroutine test_ghosts_spread_centers


subroutine compare_spread(width, center_width, error)
   !> How far ghosts are needed, and how far their own neighbours are (negative: not at all), Å
   real(dp), intent(in) :: width, center_width
   type(error_type), allocatable, intent(out) :: error
   type(spread_type) :: spread
   type(cell_type) :: cell
   type(pairs_type) :: plain
   real(dp) :: position(3, 60), drift(3, 60)
   integer, allocatable :: shapes(:, :)
   integer :: kind, k, rank

   shapes = sample_shapes()
   do kind = 1, n_cells
      call sample_cell(kind, cell, error)
      if (allocated(error)) return
      do k = 1, size(shapes, 2)
         position = sample_positions(cell, size(position, 2))
         call random_number(drift)
         drift = (drift - 0.5_dp)*merge(2.0_dp, 0.0_dp, mod(k, 2) == 0)
         call new_spread(spread, cell, shapes(:, k), position, position + drift)
         call new_pairs(plain, cutoff, skin)
         call build_pairs(plain, cell, spread%position)
         do rank = 0, spread%n_ranks - 1
            call compare_view(spread, rank, width, center_width, cell, plain, error)
            if (allocated(error)) error%message = trim(cell_name(kind)) // ", " // shape_text(shapes(:, k)) // &
               & ", rank " // to_text(rank) // ": " // error%message
            if (allocated(error)) return
         end do
      end do
   end do
end subroutine compare_spread


!> The list of one rank
subroutine compare_view(spread, rank, width, center_width, cell, plain, error)
   type(spread_type), intent(in) :: spread
   integer, intent(in) :: rank
   real(dp), intent(in) :: width, center_width
   type(cell_type), intent(in) :: cell
   type(pairs_type), intent(in) :: plain
   type(error_type), allocatable, intent(inout) :: error
   type(view_type) :: view
   type(pairs_type) :: pairs
   logical :: ghosts(3)
   real(dp), allocatable :: gap(:)
   real(dp) :: apart(3)
   integer, allocatable :: order(:)
   integer :: k, i, n_center

   call view_of(spread, rank, width, view)
   associate (grid => spread%grid)
      gap = [(gap_of(grid, brick_of(grid, rank), matmul(grid%inverse, view%position(:, k) - grid%origin)), &
         & k=view%n_local + 1, view%n_total)]
   end associate
   ! Nearest ghosts first
   order = [[(k, k=1, view%n_local)], view%n_local + sorting_order(gap)]
   view%atom = view%atom(order)
   view%position = view%position(:, order)
   n_center = view%n_local
   if (center_width >= 0.0_dp) n_center = n_center + count(gap <= center_width + spread%excursion)
   ghosts = spread%grid%decomposed() .and. cell%periodic
   call new_pairs(pairs, cutoff, skin)
   call build_pairs(pairs, cell, view%position, .not. spread%grid%decomposed(), n_center, &
      & sorting_order(real(view%atom, dp)))
   do k = 1, n_center
      ! Of ghosts only those count that an own atom sees
      if (k > view%n_local) then
         do i = 1, view%n_local
            apart = view%position(:, k) - view%position(:, i)
            if (cell%periodic) apart = apart - matmul(cell%vectors, merge(0.0_dp, anint(matmul(cell%inverse, apart)), &
               & ghosts))
            if (norm2(apart) < center_width) exit
         end do
         if (i > view%n_local) cycle
      end if
      call compare_row(pairs, k, view, plain, view%atom(k), cell, spread%position, ghosts, error)
   end do
end subroutine compare_view

end module test_ghost_pairs
